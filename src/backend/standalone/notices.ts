import type { Notice } from '../../model/notice.js';
import { describeDifferences } from './differences.js';
import { isManaged } from './document.js';
import type { GroupReading } from './read.js';

/** What a reader of a group should know: what is left alone, who differs from whom, who did not answer. */
export function noticesOf({ answered, newest, dead, late }: GroupReading): readonly Notice[] {
  const { document, notices } = newest.known.inventory;
  const unmanaged = [...document.sections].flatMap(([name, { items }]): Notice[] => {
    if (isManaged(name) || items.length === 0) return [];
    const count = items.length === 1 ? '1 object' : `${items.length} objects`;
    return [
      {
        level: 'info',
        message: `${name}: ${count} in this section that the tool does not manage; left as they are`,
        omits: name,
      },
    ];
  });
  const held = answered.map(({ client, known }) => ({
    server: client.endpoint.server,
    document: known.inventory.document,
  }));
  const [first, ...others] = [
    ...held.filter((_, index) => answered[index] === newest),
    ...held.filter((_, index) => answered[index] !== newest),
  ];
  return [
    ...notices,
    ...unmanaged,
    ...(first === undefined ? [] : describeDifferences(first, others)),
    ...dead.map(({ error }): Notice => ({ level: 'warning', message: `an instance cannot be read: ${error.message}` })),
    ...late.map(({ client }): Notice => ({
      level: 'warning',
      message: `${client.endpoint.server} has not answered yet`,
    })),
  ];
}
