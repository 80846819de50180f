/** Text of an answer as it is stored: a vendor may send a page where a line is expected. */
export function shortDetail(detail: string | null | undefined): string | null {
  if (detail === null || detail === undefined || detail === '') return null;
  return detail.length <= 1000 ? detail : `${detail.slice(0, 999)}…`;
}
