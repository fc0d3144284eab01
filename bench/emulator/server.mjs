// One server in a process of its own: the emulator, or (with `bare`) the least an HTTP server can do. Prints its address.
import { createServer } from 'node:http';
import { importBundle } from '../support/bundle.mjs';

if (process.argv[2] === 'bare') {
  const server = createServer((request, response) => {
    request.resume();
    request.on('end', () => {
      response.writeHead(201, { 'content-type': 'application/json' });
      response.end('{"key":"/apisix/routes/r","value":{}}');
    });
  });
  server.listen(0, '127.0.0.1', () => process.send?.({ url: `http://127.0.0.1:${server.address().port}` }));
} else {
  const { startEmulator } = await importBundle(`export { startEmulator } from './src/emulator/index.js';`);
  const emulator = await startEmulator(JSON.parse(process.argv[3] ?? '{}'));
  process.send?.({ url: emulator.url, adminKey: emulator.adminKey });
  process.on('message', () => emulator.reset());
}
process.on('disconnect', () => process.exit(0));
