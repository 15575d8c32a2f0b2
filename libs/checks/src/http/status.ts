/** Whether a status code is among the accepted ones, each a code or a range such as `200-299`. */
export function isAccepted(status: number, accepted: readonly string[]): boolean {
  return accepted.some((range) => {
    const low = Number(range.slice(0, 3));
    return status >= low && status <= (range.length > 3 ? Number(range.slice(4)) : low);
  });
}
