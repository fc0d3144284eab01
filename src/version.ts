declare const __ADC_VERSION__: string | undefined;

/** The version of this package; `0.0.0-dev` when run from source. */
export const version: string = typeof __ADC_VERSION__ === 'string' ? __ADC_VERSION__ : '0.0.0-dev';
