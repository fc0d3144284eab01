// The server in a process of its own, told and asked over IPC: `fork('server.mjs', [bundle, options], { execArgv: ['--expose-gc'] })`.
import { monitorEventLoopDelay } from 'node:perf_hooks';

const [bundle, options] = process.argv.slice(2);
const { startServer, createPoolManager, createMemory } = await import(bundle);
const { pool = {}, ...server } = JSON.parse(options);
const pools = createPoolManager(pool);
const running = await startServer({ statusPort: 0, ...server, pools, memory: createMemory(), logLevel: 'warn' });

// Wakes the process a thousand times a second: on only where stalls are asked for.
const delay = monitorEventLoopDelay({ resolution: 1 });

process.on('message', (question) => {
  if (question === 'memory') {
    globalThis.gc();
    globalThis.gc();
    const { heapUsed, external, rss } = process.memoryUsage();
    process.send({ heapUsed, external, rss });
  } else if (question === 'cpu') process.send(process.cpuUsage());
  else if (question === 'pools') process.send(pools.report());
  else if (question === 'stall') {
    delay.enable();
    process.send({ stall: delay.max / 1e6 });
    delay.reset();
  }
});
process.on('disconnect', () => void running.close().then(() => process.exit(0)));
process.send({ url: running.addresses[0], statusUrl: running.statusAddresses[0] });
