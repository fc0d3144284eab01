// A group of standalone instances in a process of its own, told and asked over IPC: `fork('instances.mjs', [count])`.
import { loadEmulator } from '../emulator/load.mjs';

const { startEmulator } = await loadEmulator();
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
