import * as z from 'zod';
import { configurationSchema } from '../model/schema.js';
import { version } from '../version.js';
import {
  diffAnswerSchema,
  dumpAnswerSchema,
  failureAnswerSchema,
  syncAnswerSchema,
  validateAnswerSchema,
  validateFailureAnswerSchema,
} from './answers.js';
import { requestSchemas, type JobPath } from './requests.js';

interface Operation {
  readonly summary: string;
  readonly description: string;
  readonly answer: readonly [status: 200 | 202, description: string, schema: string];
}

const operations: Readonly<Record<JobPath, Operation>> = {
  '/sync': {
    summary: 'Make a gateway match a configuration.',
    description: 'Reads the gateway, compares, and writes what differs. Jobs of one cacheKey run one at a time.',
    answer: [202, 'The job ran. failed_count tells whether everything was written.', 'SyncAnswer'],
  },
  '/diff': {
    summary: 'Say what a sync would change.',
    description: 'Writes nothing. Values of secret fields are masked.',
    answer: [200, 'What differs.', 'DiffAnswer'],
  },
  '/validate': {
    summary: 'Ask a gateway whether it would take a configuration.',
    description: 'Writes nothing. A 400 is something that the caller must fix; everything else is not.',
    answer: [200, 'The validation ran; success tells what it found.', 'ValidateAnswer'],
  },
  '/dump': {
    summary: 'Read what a gateway holds, as a configuration.',
    description: 'The answer holds keys and credentials, as the gateway does.',
    answer: [200, 'The configuration.', 'DumpAnswer'],
  },
};

/** Gives the OpenAPI 3.1 document of this server, serialised; made when it is first asked for. */
export function createOpenApi(): () => string {
  let text: string | undefined;
  return () => (text ??= JSON.stringify(openApiDocument()));
}

/** The OpenAPI 3.1 document: the schemas are those that requests are checked against and answers are built by. */
export function openApiDocument(): Readonly<Record<string, unknown>> {
  const answers = {
    SyncAnswer: syncAnswerSchema,
    DiffAnswer: diffAnswerSchema,
    ValidateAnswer: validateAnswerSchema,
    DumpAnswer: dumpAnswerSchema,
    Failure: failureAnswerSchema,
    ValidateFailure: validateFailureAnswerSchema,
  };
  const schemas: Record<string, unknown> = { Configuration: inputSchema(configurationSchema) };
  for (const [path, schema] of Object.entries(requestSchemas))
    schemas[requestName(path)] = withConfiguration(inputSchema(schema));
  for (const [name, schema] of Object.entries(answers)) schemas[name] = outputSchema(schema);
  return {
    openapi: '3.1.0',
    info: {
      title: 'ADC server',
      version,
      description: 'Makes Apache APISIX gateways match a configuration.',
      license: { name: 'Apache-2.0', identifier: 'Apache-2.0' },
    },
    // Where no token file is given, requests need none: both are true of some server.
    security: [{}, { bearer: [] }],
    paths: {
      ...Object.fromEntries(
        Object.entries(operations).map(([path, operation]) => [path, { put: describe(path, operation) }]),
      ),
      '/openapi.json': {
        get: {
          operationId: 'openapi',
          summary: 'This document.',
          responses: {
            '200': { description: 'OpenAPI 3.1.', content: { 'application/json': { schema: { type: 'object' } } } },
            '401': {
              description: 'The bearer token is missing or wrong.',
              content: { 'application/json': { schema: { $ref: '#/components/schemas/Failure' } } },
            },
          },
        },
      },
    },
    components: { schemas, securitySchemes: { bearer: { type: 'http', scheme: 'bearer' } } },
  };
}

function describe(path: string, { summary, description, answer }: Operation): Readonly<Record<string, unknown>> {
  const failure = path === '/validate' ? 'ValidateFailure' : 'Failure';
  const [status, meaning, schema] = answer;
  const headers = { 'X-Request-Id': { schema: { type: 'string' } } };
  const refusals: Readonly<Record<string, string>> = {
    '400': 'Not JSON, not of this shape, or a configuration against its schema: every problem at once.',
    '401': 'The bearer token is missing or wrong.',
    '403': 'A gateway that this server does not allow.',
    '413': 'The body is too large.',
    '500': 'The job failed before anything was written.',
    '503': 'Too much is waiting, or the server is shutting down.',
  };
  return {
    operationId: path.slice(1),
    summary,
    description,
    parameters: [
      {
        name: 'X-Request-Id',
        in: 'header',
        schema: { type: 'string' },
        description: 'Taken over into the answer and the log.',
      },
      { name: 'traceparent', in: 'header', schema: { type: 'string' }, description: 'Passed on to the gateway.' },
    ],
    requestBody: { required: true, content: contentOf(requestName(path)) },
    responses: {
      [status]: { description: meaning, headers, content: contentOf(schema) },
      ...Object.fromEntries(
        Object.entries(refusals).map(([code, text]) => {
          const retry =
            code === '503' ? { 'Retry-After': { schema: { type: 'string' }, description: 'Seconds.' } } : {};
          const name = code === '401' ? 'Failure' : failure;
          return [code, { description: text, headers: { ...headers, ...retry }, content: contentOf(name) }];
        }),
      ),
    },
  };
}

function contentOf(name: string): Readonly<Record<string, unknown>> {
  return { 'application/json': { schema: { $ref: `#/components/schemas/${name}` } } };
}

function requestName(path: string): string {
  return `${path.charAt(1).toUpperCase()}${path.slice(2)}Request`;
}

function inputSchema(schema: z.ZodType): Record<string, unknown> {
  return stripped(z.toJSONSchema(schema, { io: 'input', unrepresentable: 'any' }));
}

function outputSchema(schema: z.ZodType): Record<string, unknown> {
  return stripped(z.toJSONSchema(schema, { io: 'output', unrepresentable: 'any' }));
}

/** The dialect is said once, by the version of OpenAPI. */
function stripped(schema: Readonly<Record<string, unknown>>): Record<string, unknown> {
  return Object.fromEntries(Object.entries(schema).filter(([key]) => key !== '$schema' && key !== '~standard'));
}

/** Requests check their `config` apart from the rest; the document shows them as one. */
function withConfiguration(schema: Record<string, unknown>): Record<string, unknown> {
  const task = (schema['properties'] as Record<string, Record<string, unknown>>)['task'];
  const properties = task?.['properties'] as Record<string, unknown> | undefined;
  if (properties === undefined || !('config' in properties)) return schema;
  const complete = { ...properties, config: { $ref: '#/components/schemas/Configuration' } };
  return { ...schema, properties: { task: { ...task, properties: complete } } };
}
