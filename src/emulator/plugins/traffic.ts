import { flag, list, mapOf, requiring, shape, text, textOrNumber, whole, word } from '../schema/build.js';
import { coreParts, idSchema } from '../schema/core.js';
import type { Schema } from '../schema/schema.js';
import { upstreamSchema } from '../schema/upstream.js';
import type { PluginMaker } from './define.js';

const headerName = '^[^:]+$';
const headerNames = list(text({ pattern: headerName }), { minItems: 1 });
const headers = mapOf(headerName, textOrNumber, { minProperties: 1 });
const share = whole({ minimum: 0, maximum: 100 });
const conditions = list(list(), { maxItems: 20 });

const proxyRewrite: PluginMaker = (rules) => {
  const values: Schema = rules.since('3.18.0')
    ? { oneOf: [{ type: 'string' }, { type: 'number' }, list(textOrNumber, { minItems: 1 })] }
    : textOrNumber;
  const many = mapOf(headerName, values, { minProperties: 1 });
  return {
    priority: 1008,
    schema: shape(
      {
        uri: text({ minLength: 1, maxLength: 4096, pattern: '^\\/.*' }),
        method: text({
          enum: [
            'GET',
            'POST',
            'PUT',
            'HEAD',
            'DELETE',
            'OPTIONS',
            'MKCOL',
            'COPY',
            'MOVE',
            'PROPFIND',
            'LOCK',
            'UNLOCK',
            'PATCH',
            'TRACE',
          ],
        }),
        regex_uri: list(text(), rules.since('3.10.0') ? { minItems: 2 } : { minItems: 2, maxItems: 2 }),
        host: text({ pattern: '^[0-9a-zA-Z-.]+(:\\d{1,5})?$' }),
        headers: {
          oneOf: [
            shape({ add: many, set: many, remove: headerNames }, { minProperties: 1, additionalProperties: false }),
            headers,
          ],
        },
        use_real_request_uri_unsafe: flag(false),
      },
      { minProperties: 1 },
    ),
  };
};

const responseRewrite: PluginMaker = (rules) => ({
  priority: 899,
  schema: shape(
    {
      status_code: whole({ minimum: 200, maximum: 598 }),
      body: text(),
      body_base64: flag(false),
      headers: {
        anyOf: [
          headers,
          {
            properties: {
              add: list(text({ pattern: '^[^:]+:[^:]*[^/]$' }), { minItems: 1 }),
              set: headers,
              remove: headerNames,
            },
          },
        ],
      },
      vars: list(),
      filters: list(
        shape(
          {
            regex: text({ minLength: 1 }),
            scope: word(['once', 'global']),
            replace: text(),
            options: text({ default: 'jo' }),
          },
          { required: ['regex', 'replace'] },
        ),
        { minItems: 1 },
      ),
      ...(rules.since('3.18.0') ? { max_resp_body_size: whole({ minimum: 1, default: 67_108_864 }) } : {}),
    },
    { dependencies: { body: { not: { required: ['filters'] } }, filters: { not: { required: ['body'] } } } },
  ),
});

const redirect: PluginMaker = () => ({
  priority: 900,
  schema: shape(
    {
      ret_code: whole({ minimum: 200, default: 302 }),
      uri: text({
        minLength: 2,
        pattern: '(\\\\\\$[0-9a-zA-Z_]+)|\\$\\{([0-9a-zA-Z_]+)\\}|\\$([0-9a-zA-Z_]+)|(\\$|[^$\\\\]+)',
      }),
      regex_uri: list(text(), { minItems: 2, maxItems: 2 }),
      http_to_https: flag(),
      encode_uri: flag(false),
      append_query_string: flag(false),
    },
    { oneOf: requiring(['uri'], ['regex_uri'], ['http_to_https']) },
  ),
});

const trafficSplit: PluginMaker = (rules) => ({
  priority: 966,
  schema: shape({
    rules: list(
      shape({
        match: list(shape({ vars: list() })),
        weighted_upstreams: list(
          shape({
            upstream_id: idSchema,
            upstream: upstreamSchema(coreParts(rules)),
            weight: whole({ minimum: 0, default: 1 }),
          }),
          { minItems: 1, maxItems: 20, default: [{ weight: 1 }] },
        ),
      }),
    ),
  }),
});

const faultInjection: PluginMaker = (rules) => ({
  priority: 11_000,
  schema: shape(
    {
      abort: shape(
        {
          http_status: whole({ minimum: 200 }),
          body: text({ minLength: 0 }),
          ...(rules.since('3.10.0') ? { headers } : {}),
          percentage: share,
          vars: conditions,
        },
        { required: ['http_status'] },
      ),
      delay: shape(
        { duration: { type: 'number', minimum: 0 }, percentage: share, vars: conditions },
        { required: ['duration'] },
      ),
    },
    { minProperties: 1 },
  ),
});

const mocking: PluginMaker = (rules) => ({
  priority: 10_900,
  schema: shape(
    {
      delay: whole({ default: 0 }),
      response_status: whole({ minimum: 100, default: 200 }),
      content_type: text({ default: 'application/json;charset=utf8' }),
      response_example: text(),
      response_schema: { type: 'object' },
      ...(rules.since('3.10.0') ? { response_headers: headers } : {}),
      with_mock_header: flag(true),
    },
    { anyOf: requiring(['response_example'], ['response_schema']) },
  ),
});

function serverless(priority: number): PluginMaker {
  return () => ({
    priority,
    schema: shape(
      {
        phase: word(['rewrite', 'access', 'header_filter', 'body_filter', 'log', 'before_proxy'], 'access'),
        functions: list(text(), { minItems: 1 }),
      },
      { required: ['functions'] },
    ),
  });
}

/** The plugins that change what comes through. */
export const trafficPlugins: Readonly<Record<string, PluginMaker>> = {
  'proxy-rewrite': proxyRewrite,
  'response-rewrite': responseRewrite,
  redirect,
  'traffic-split': trafficSplit,
  'fault-injection': faultInjection,
  mocking,
  'serverless-pre-function': serverless(10_000),
  'serverless-post-function': serverless(-2000),
};
