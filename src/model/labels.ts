/** Exact pairs that a resource's labels must all contain, and that desired resources receive. */
export type LabelSelector = Readonly<Record<string, string>>;

/** The label that says who manages a resource, and the value this tool writes. */
export const managedByLabel = { key: 'managed-by', value: 'adc' } as const;

/** Keeps the name of a resource whose kind has no `name` on that gateway. */
export const nameLabel = '__ADC_NAME';

/** Holds the id of the service that a named upstream belongs to. */
export const upstreamServiceLabel = '__ADC_UPSTREAM_SERVICE_ID';

/**
 * Says of a top-level upstream that it is shared. Without it, one of a service's id or name has the very form of that
 * service's default upstream. The value is `true`.
 */
export const sharedLabel = '__ADC_SHARED';
