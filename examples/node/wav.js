// WAV files of 16 kHz, mono, 16 bits: the samples as float32 from -1 to 1.

import { readFile } from "node:fs/promises";

const RATE = 16000;
const FULL_SCALE = 32768;

export async function readWav(file) {
  const bytes = await readFile(file);
  if (bytes.length < 12 || bytes.toString("latin1", 0, 4) !== "RIFF" || bytes.toString("latin1", 8, 12) !== "WAVE") {
    throw new Error(`${file} is no WAV file`);
  }
  let form = null;
  for (let place = 12; place + 8 <= bytes.length; ) {
    const name = bytes.toString("latin1", place, place + 4);
    const start = place + 8;
    const end = start + bytes.readUInt32LE(place + 4);
    if (end > bytes.length) throw new Error(`${file} is cut off: copy it again`);
    if (name === "fmt ") {
      form = [bytes.readUInt16LE(start + 2), bytes.readUInt32LE(start + 4), bytes.readUInt16LE(start + 14)];
    } else if (name === "data") {
      if (String(form) !== String([1, RATE, 16])) {
        throw new Error(`${file} is not 16 kHz, mono, 16 bits: sox ${file} -r 16000 -c 1 -b 16 converted.wav`);
      }
      return Float32Array.from({ length: (end - start) >> 1 }, (_, i) => bytes.readInt16LE(start + 2 * i) / FULL_SCALE);
    }
    place = end + (end & 1);
  }
  throw new Error(`${file} holds no sound`);
}
