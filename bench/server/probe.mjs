// Asks the health endpoint every few milliseconds and tells the longest answer: in a process of its own, so that it measures only the server.
import { Agent, get } from 'node:http';

const agent = new Agent({ keepAlive: true, maxSockets: 1 });
let longest = 0;
let asked = 0;
const ask = () => {
  const began = performance.now();
  get(`${process.argv[2]}/healthz/live`, { agent }, (response) => {
    response.resume();
    response.on('end', () => {
      longest = Math.max(longest, performance.now() - began);
      asked += 1;
      setTimeout(ask, 5);
    });
  });
};
ask();
process.on('message', () => {
  process.send({ longest, asked });
  longest = 0;
  asked = 0;
});
process.on('disconnect', () => process.exit(0));
