// The gateway's part in the measurements, in a process of its own: small answers over HTTP and HTTPS, and counts.
import { readFileSync } from 'node:fs';
import http from 'node:http';
import https from 'node:https';
import { join } from 'node:path';

const fixtures = process.argv[2] ?? '.';
const answer = Buffer.from(
  JSON.stringify({ key: '/apisix/routes/1', value: { id: '1', uri: '/anything', desc: 'x'.repeat(300) } }),
);
const counts = { connections: 0, handshakes: 0, full: 0, requests: 0 };

function handle(request, response) {
  counts.requests += 1;
  request.resume();
  request.on('end', () => {
    response.writeHead(200, { 'content-type': 'application/json', 'content-length': answer.length });
    response.end(answer);
  });
}

const plain = http.createServer({ keepAliveTimeout: 120_000 }, handle);
const secure = https.createServer(
  {
    keepAliveTimeout: 120_000,
    key: readFileSync(join(fixtures, 'server.key')),
    cert: readFileSync(join(fixtures, 'server.pem')),
    ca: readFileSync(join(fixtures, 'ca.pem')),
    requestCert: true,
    rejectUnauthorized: false,
  },
  handle,
);
plain.on('connection', () => (counts.connections += 1));
secure.on('connection', () => (counts.connections += 1));
secure.on('secureConnection', (socket) => {
  counts.handshakes += 1;
  if (!socket.isSessionReused()) counts.full += 1;
});

process.on('message', (message) => {
  if (message === 'counts') process.send({ counts });
});
process.on('disconnect', () => process.exit(0));

await Promise.all([plain, secure].map((server) => new Promise((resolve) => server.listen(0, '127.0.0.1', resolve))));
process.send({ http: plain.address().port, https: secure.address().port });
