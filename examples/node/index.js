// node index.js MODEL FILE.wav...             the text of each recording
// node index.js --stream MODEL FILE.wav...    the same, heard in pieces of 0.1 s, with what is certain so far
//
// MODEL is a folder that `dsprep export` has written, or one of its .onnx files.

import path from "node:path";
import { openModel, text } from "./model.js";
import { readWav } from "./wav.js";

const PIECE = 1600;

async function hearInPieces(model, samples) {
  const stream = await model.stream();
  const steps = [];
  for (let start = 0; start < samples.length; start += PIECE) {
    steps.push(...(await stream.feed(samples.subarray(start, start + PIECE))));
    process.stderr.write(`\r${text(model, steps)}`);
  }
  process.stderr.write("\n");
  return [...steps, ...(await stream.end())];
}

async function main(words) {
  const streaming = words[0] === "--stream";
  const [place, ...files] = words.slice(streaming ? 1 : 0);
  if (!files.length) throw new Error("usage: node index.js [--stream] MODEL FILE.wav...");
  const model = place.endsWith(".onnx")
    ? await openModel(path.dirname(place), path.basename(place))
    : await openModel(place);
  for (const file of files) {
    const samples = await readWav(file);
    const steps = streaming ? await hearInPieces(model, samples) : await model.hear(samples);
    console.log(`${file}\t${text(model, steps)}`);
  }
}

main(process.argv.slice(2)).catch((error) => {
  console.error(`Error: ${error.message}`);
  process.exitCode = 1;
});
