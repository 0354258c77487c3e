// A model that `dsprep export` has written: samples in, log-probabilities out, and the text of them.
//
//     const model = await openModel("exported");
//     console.log(text(model, await model.hear(samples)));

import { readFile } from "node:fs/promises";
import path from "node:path";
import ort from "onnxruntime-node";

/** The model in a folder of `dsprep export`; `name` may be model.int8.onnx. */
export async function openModel(folder, name = "model.onnx") {
  const facts = JSON.parse(await readFile(path.join(folder, "model.json"), "utf8"));
  const open = (file) => ort.InferenceSession.create(path.join(folder, file));
  const session = await open(name);
  return {
    facts,
    /** Steps of 20 ms, each an array of log-probabilities, of a whole recording: float32 from -1 to 1, 16 kHz, mono. */
    async hear(samples) {
      const found = await session.run({
        samples: new ort.Tensor("float32", samples, [1, samples.length]),
        lengths: new ort.Tensor("int64", [BigInt(samples.length)], [1]),
      });
      return stepsOf(found.log_probs);
    },
    /** A stream, of a model that hears forwards: see README.md. */
    async stream() {
      if (!facts.feeding) throw new Error(`this model hears no stream, for ${facts.whole_only}`);
      return new Stream(await open(name.replace(/\.onnx$/, ".stream.onnx")), facts.feeding);
    },
  };
}

/** One recording that is heard while it comes. */
class Stream {
  constructor(session, feeding) {
    this.session = session;
    this.feeding = feeding;
    this.samples = new Float32Array(0);
    this.begun = false;
    this.state = Object.fromEntries(
      feeding.state.map(({ name, type, shape }) => {
        const size = shape.reduce((product, length) => product * length, 1);
        return [name, new ort.Tensor(type, type === "int64" ? new BigInt64Array(size) : new Float32Array(size), shape)];
      }),
    );
  }

  /** The steps that are certain now that these samples have come; there may be none. */
  async feed(samples) {
    const kept = this.samples;
    this.samples = new Float32Array(kept.length + samples.length);
    this.samples.set(kept);
    this.samples.set(samples, kept.length);
    const wanted = this.begun ? this.feeding.next : this.feeding.first;
    return this.samples.length < wanted ? [] : this.#piece(0n);
  }

  /** The steps that are left, for nothing more comes. */
  async end() {
    return this.begun || this.samples.length ? this.#piece(1n) : [];
  }

  async #piece(last) {
    const found = await this.session.run({
      samples: new ort.Tensor("float32", this.samples, [1, this.samples.length]),
      last: new ort.Tensor("int64", [last], []),
      ...this.state,
    });
    this.samples = this.samples.slice(Number(found.used.data[0]));
    for (const name of Object.keys(this.state)) this.state[name] = found[`${name}_next`];
    this.begun = true;
    return stepsOf(found.log_probs);
  }
}

function stepsOf({ data, dims }) {
  const [, steps, labels] = dims;
  return Array.from({ length: steps }, (_, step) => data.subarray(step * labels, (step + 1) * labels));
}

/** What the likeliest label of each step comes to: repeats are one, blanks are nothing. */
export function text({ facts }, steps) {
  const { characters, blank } = facts.alphabet;
  const best = steps.map((step) => step.reduce((found, value, label) => (value > step[found] ? label : found), 0));
  const labels = best.filter((label, step) => label !== blank && label !== best[step - 1]);
  return labels.map((label) => characters[label - (label > blank ? 1 : 0)]).join("");
}
