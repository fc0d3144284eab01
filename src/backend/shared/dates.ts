/** Reads `Date` headers; our clock where there is none. The answers of one second share one date. */
export function createDates(): (header: string | undefined) => Date {
  let last: { readonly header: string; readonly date: Date } | undefined;
  return (header) => {
    if (header === undefined) return new Date();
    if (last?.header !== header) {
      const date = new Date(header);
      if (Number.isNaN(date.getTime())) return new Date();
      last = { header, date };
    }
    return last.date;
  };
}
