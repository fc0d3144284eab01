// A group of standalone instances in a process of its own, told and asked over IPC: `fork('instances.mjs', [count])`.
import { importBundle } from '../support/bundle.mjs';

const { startEmulator } = await importBundle(`export { startEmulator } from './src/emulator/index.js';`);
const emulator = await startEmulator({ mode: 'standalone', instances: Number(process.argv[2] ?? 16) });
process.on('message', (question) => {
  if (question === 'counts') process.send(emulator.requests.byMethod);
  else {
    emulator.reset();
    process.send({});
  }
});
process.on('disconnect', () => process.exit(0));
process.send({ urls: emulator.urls, adminKey: emulator.adminKey });
