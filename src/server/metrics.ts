import { monitorEventLoopDelay } from 'node:perf_hooks';
import { Counter, Gauge, Histogram, Registry } from 'prom-client';
import type { Memory } from '../memory/memory.js';
import type { Histogram as Buckets, PoolReport, Pools } from '../pool/pool.js';
import { version } from '../version.js';
import type { QueueReport } from './job-queue.js';

/** What a finished job tells the metrics. */
export interface JobFacts {
  /** `sync`, `diff`, `validate` or `dump`. */
  readonly operation: string;
  readonly backend: string;
  /** `success`, `partial_failure`, `all_failed`, `invalid`, or the code of an error. */
  readonly status: string;
  /** Milliseconds of running. */
  readonly took: number;
  /** Milliseconds of waiting for its turn. */
  readonly waited: number;
  /** Answered by the result of a newer job. */
  readonly replaced: boolean;
  readonly succeeded: number;
  readonly failed: number;
}

/** Where the metrics look when they are asked. */
export interface MetricSources {
  readonly pools: Pools;
  readonly memory: Memory;
  queue(): QueueReport;
  /** Bytes of request bodies held. */
  bodies(): number;
  connections(): number;
}

/** The metrics of one server. */
export interface Metrics {
  readonly contentType: string;
  request(path: string, status: number): void;
  job(facts: JobFacts): void;
  /** The Prometheus text. */
  text(): Promise<string>;
  close(): void;
}

const durations = [0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60];

/** Makes the metrics of one server, in a registry of its own. No label carries a name that a caller chose. */
export function createMetrics(sources: MetricSources): Metrics {
  const registry = new Registry();
  const registers = [registry];

  const requests = new Counter({
    name: 'adc_http_requests_total',
    help: 'Requests answered, by path and status.',
    labelNames: ['path', 'status'],
    registers,
  });
  const jobs = new Counter({
    name: 'adc_jobs_total',
    help: 'Jobs finished, by operation, backend and outcome.',
    labelNames: ['operation', 'backend', 'status'],
    registers,
  });
  const seconds = new Histogram({
    name: 'adc_job_duration_seconds',
    help: 'Time that jobs ran, without waiting for their turn.',
    labelNames: ['operation'],
    buckets: durations,
    registers,
  });
  const waits = new Histogram({
    name: 'adc_job_wait_seconds',
    help: 'Time that jobs waited for their turn.',
    labelNames: ['operation'],
    buckets: durations,
    registers,
  });
  const replaced = new Counter({
    name: 'adc_jobs_replaced_total',
    help: 'Jobs answered by the result of a newer one that replaced them.',
    registers,
  });
  const changes = new Counter({
    name: 'adc_changes_total',
    help: 'Changes that syncs carried out or failed to.',
    labelNames: ['result'],
    registers,
  });
  const gauge = (name: string, help: string, read: () => number): void => {
    registry.registerMetric(
      new Gauge({
        name,
        help,
        registers: [],
        collect() {
          this.set(read());
        },
      }),
    );
  };
  new Gauge({ name: 'adc_build_info', help: 'The version that runs.', labelNames: ['version'], registers }).set(
    { version },
    1,
  );
  gauge('adc_jobs_running', 'Jobs that run.', () => sources.queue().running);
  gauge('adc_jobs_waiting', 'Jobs that wait for their turn.', () => sources.queue().waiting);
  gauge('adc_request_bodies_bytes', 'Bytes of request bodies held.', () => sources.bodies());
  gauge('adc_client_connections', 'Open connections of clients.', () => sources.connections());
  registerMemory(registry, sources.memory);
  registerPools(registry, sources.pools);
  const stopProcess = registerProcess(registry, gauge);

  return {
    contentType: registry.contentType,
    request: (path, status) => requests.inc({ path, status }),
    job: (facts) => {
      const { operation, backend, status } = facts;
      jobs.inc({ operation, backend, status });
      seconds.observe({ operation }, facts.took / 1000);
      waits.observe({ operation }, facts.waited / 1000);
      if (facts.replaced) replaced.inc();
      if (operation === 'sync') {
        changes.inc({ result: 'success' }, facts.succeeded);
        changes.inc({ result: 'failure' }, facts.failed);
      }
    },
    text: async () => {
      const report = sources.pools.report();
      return [
        await registry.metrics(),
        bucketsText(
          'adc_pool_queue_wait_seconds',
          'Time that requests to gateways waited for a connection.',
          report.queueWait,
        ),
        bucketsText('adc_pool_connect_seconds', 'Time to connect to gateways, handshake included.', report.connect),
        bucketsText(
          'adc_pool_first_byte_seconds',
          'Time from sending a request to the first byte of its answer.',
          report.firstByte,
        ),
      ].join('\n');
    },
    close: () => {
      stopProcess();
      registry.clear();
    },
  };
}

function registerMemory(registry: Registry, memory: Memory): void {
  registry.registerMetric(
    new Gauge({
      name: 'adc_memory_bytes',
      help: 'Estimated bytes remembered between jobs, by what they are.',
      labelNames: ['space'],
      registers: [],
      collect() {
        this.reset();
        for (const [space, { bytes }] of Object.entries(memory.report())) this.set({ space }, bytes);
      },
    }),
  );
}

/** A pool shows as its origin and the first digits of the hash of its TLS identity. */
function registerPools(registry: Registry, pools: Pools): void {
  const levels = {
    connections_open: ['Connections open.', (pool: PoolReport) => pool.open],
    connections_busy: ['Connections with a request in flight.', (pool: PoolReport) => pool.busy],
    connections_idle: ['Connections idle.', (pool: PoolReport) => pool.idle],
    requests_queued: ['Requests that wait for a connection.', (pool: PoolReport) => pool.queued],
    leases: ['Jobs that use the pool.', (pool: PoolReport) => pool.leases],
    breaker_open: [
      '1 while requests are answered with the last failure.',
      (pool: PoolReport) => (pool.breaker === 'open' ? 1 : 0),
    ],
  } as const;
  for (const [name, [help, read]] of Object.entries(levels)) {
    registry.registerMetric(
      new Gauge({
        name: `adc_pool_${name}`,
        help,
        labelNames: ['origin', 'identity'],
        registers: [],
        collect() {
          this.reset();
          for (const pool of pools.report().pools)
            this.inc({ origin: pool.origin, identity: pool.identity }, read(pool));
        },
      }),
    );
  }
  const totals = {
    connections_created_total: ['Connections made.', (pool: PoolReport) => ({ '': pool.created })],
    connections_reused_total: [
      'Requests sent on a connection that had carried one before.',
      (pool: PoolReport) => ({ '': pool.reused }),
    ],
    connections_closed_total: ['Connections closed, by reason.', (pool: PoolReport) => pool.closed],
    retries_total: ['Requests sent again, by reason.', (pool: PoolReport) => pool.retried],
    stale_retries_total: [
      'Requests sent again because the gateway had closed the connection.',
      (pool: PoolReport) => ({ '': pool.staleRetries }),
    ],
  } as const;
  for (const [name, [help, read]] of Object.entries(totals)) {
    registry.registerMetric(
      new Counter({
        name: `adc_pool_${name}`,
        help,
        labelNames: ['origin', 'identity', 'reason'],
        registers: [],
        collect() {
          this.reset();
          for (const pool of pools.report().pools) {
            const labels = { origin: pool.origin, identity: pool.identity };
            for (const [reason, count] of Object.entries(read(pool)))
              this.inc(reason === '' ? labels : { ...labels, reason }, count);
          }
        },
      }),
    );
  }
  registry.registerMetric(
    new Counter({
      name: 'adc_pool_evictions_total',
      help: 'Pools closed to make room for others.',
      registers: [],
      collect() {
        this.reset();
        this.inc(pools.report().evictions);
      },
    }),
  );
}

function registerProcess(
  registry: Registry,
  gauge: (name: string, help: string, read: () => number) => void,
): () => void {
  const delay = monitorEventLoopDelay({ resolution: 10 });
  delay.enable();
  gauge('process_resident_memory_bytes', 'Resident memory size in bytes.', () => process.memoryUsage.rss());
  gauge(
    'process_start_time_seconds',
    'Start time of the process since the epoch.',
    () => Date.now() / 1000 - process.uptime(),
  );
  registry.registerMetric(
    new Counter({
      name: 'process_cpu_seconds_total',
      help: 'User and system time spent.',
      registers: [],
      collect() {
        const { user, system } = process.cpuUsage();
        this.reset();
        this.inc((user + system) / 1e6);
      },
    }),
  );
  gauge('nodejs_heap_size_used_bytes', 'Heap in use.', () => process.memoryUsage().heapUsed);
  gauge('adc_eventloop_delay_max_seconds', 'The longest the process did nothing else, since it was asked last.', () => {
    const seconds = Number.isFinite(delay.max) ? delay.max / 1e9 : 0;
    delay.reset();
    return seconds;
  });
  return () => {
    delay.disable();
  };
}

/** Histograms that the pools keep themselves: prom-client can observe values, not take over what was counted. */
function bucketsText(name: string, help: string, { bounds, counts, sum }: Buckets): string {
  let total = 0;
  const lines = bounds.map((bound, index) => {
    total += counts[index] ?? 0;
    return `${name}_bucket{le="${bound}"} ${total}`;
  });
  total += counts[bounds.length] ?? 0;
  return [
    `# HELP ${name} ${help}`,
    `# TYPE ${name} histogram`,
    ...lines,
    `${name}_bucket{le="+Inf"} ${total}`,
    `${name}_sum ${sum}`,
    `${name}_count ${total}`,
    '',
  ].join('\n');
}
