// ONNX Runtime's peer in the race: one forward pass for each line "go" (protocol: torch/step.py).
// usage: node ort_peer.mjs CASE-FOLDER THREADS SPIN      SPIN 1: idle pool threads spin while they wait
import fs from 'node:fs';
import path from 'node:path';
import process from 'node:process';
import readline from 'node:readline';
import { createRequire } from 'node:module';

const require = createRequire(path.join(import.meta.dirname ?? path.dirname(process.argv[1]), 'ort', 'package.json'));
const ort = require('onnxruntime-node');

const [folder, threads, spin] = process.argv.slice(2);
const say = (...words) => process.stdout.write(words.join(' ') + '\n');
const residentPeak = () => /VmHWM:\s*(\d+)/.exec(fs.readFileSync('/proc/self/status', 'utf8'))[1];
const KINDS = { float32: Float32Array, int64: BigInt64Array };
const numbers = (name) =>
  new KINDS[tensors[name].type](new Uint8Array(fs.readFileSync(path.join(folder, name + '.raw'))).buffer);

const base = residentPeak();
const { inputs, tensors, gflop } = JSON.parse(fs.readFileSync(path.join(folder, 'onnx.json'), 'utf8'));
const session = await ort.InferenceSession.create(path.join(folder, 'model.onnx'), {
  executionProviders: ['cpu'], intraOpNumThreads: Number(threads), interOpNumThreads: 1,
  executionMode: 'sequential', graphOptimizationLevel: 'all',
  extra: { session: { intra_op: { allow_spinning: spin } } },
});
const feeds = {};
for (const name of inputs) feeds[name] = new ort.Tensor(tensors[name].type, numbers(name), tensors[name].shape);

// largest deviation from PyTorch's answer, relative to its largest value
const y = (await session.run(feeds)).y.data, want = numbers('y');
let off = 0, top = 0;
for (let i = 0; i < want.length; i++) {
  const d = Math.abs(y[i] - want[i]);
  off = d <= off ? off : d; // NaN sticks
  top = Math.max(top, Math.abs(want[i]));
}
say('info max_dy', (off / top).toExponential(3));
say('info gflop', gflop);
say('info version', 'ONNX Runtime', ort.env.versions.node);
say('ready');

for await (const line of readline.createInterface({ input: process.stdin })) {
  if (line.trim() !== 'go') break;
  const start = process.hrtime.bigint();
  await session.run(feeds);
  say('seconds', Number(process.hrtime.bigint() - start) * 1e-9);
}
say('info peak_kb', residentPeak());
say('info base_kb', base);
say('bye');
process.exit(0);
