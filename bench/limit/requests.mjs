// The requests that a configuration comes to, worked out by the shortest way: kind by kind, so that nothing is written before
// what it refers to.
import { hash } from 'node:crypto';

/** Each as path and object to be sent. */
export function* requestsOf({ services = [], consumers = [] }) {
  const managed = { 'managed-by': 'adc' };
  for (const { name, upstream } of services) {
    const id = hash('sha1', name);
    const nodes = upstream.nodes.map((node) => ({ ...node, priority: 0 }));
    yield [`/apisix/admin/upstreams/${id}`, { ...upstream, nodes, pass_host: 'pass', id, name }];
  }
  for (const { routes: _routes, upstream: _upstream, labels, ...service } of services) {
    const id = hash('sha1', service.name);
    yield [`/apisix/admin/services/${id}`, { ...service, id, labels: { ...labels, ...managed }, upstream_id: id }];
  }
  for (const { name, routes } of services) {
    const service_id = hash('sha1', name);
    for (const route of routes) {
      const id = hash('sha1', `${name}.${route.name}`);
      yield [`/apisix/admin/routes/${id}`, { ...route, id, status: 1, labels: managed, service_id }];
    }
  }
  for (const { credentials: _credentials, ...consumer } of consumers) {
    yield [`/apisix/admin/consumers/${consumer.username}`, { ...consumer, labels: managed }];
  }
  for (const { username, credentials } of consumers) {
    for (const { name, type, config } of credentials) {
      const id = hash('sha1', `${username}.${name}`);
      const credential = { id, name, labels: managed, plugins: { [type]: config } };
      yield [`/apisix/admin/consumers/${username}/credentials/${id}`, credential];
    }
  }
}
