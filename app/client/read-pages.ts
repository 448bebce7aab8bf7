/** Follows the pages of a list until enough rows are there. */

/** What every list of the API has besides its rows. */
export interface Page {
  readonly next: string | null
  readonly as_of: string | null
}

/** The rows of a list, gathered from its pages. */
export interface Listed<Row> {
  readonly rows: readonly Row[]
  /** Whether there are more than were asked for. */
  readonly more: boolean
  /** Of the first page: everything that happened up to then is in the list. */
  readonly asOf: string | null
}

/** Most rows of a page, as the API gives them. */
export const pageRowsMax = 100

/** Reads up to `limit` rows, from `path` on; `read` reads the page at a path. */
export async function readPages<Row, Body extends Page>(
  read: (path: string) => Promise<Body>,
  path: string,
  rowsOf: (page: Body) => readonly Row[],
  limit: number,
): Promise<Listed<Row>> {
  const first = await read(path)
  const rows = [...rowsOf(first)]
  let { next } = first
  while (next !== null && rows.length < limit) {
    const page = await read(next)
    rows.push(...rowsOf(page))
    next = page.next
  }
  return { rows: rows.slice(0, limit), more: next !== null || rows.length > limit, asOf: first.as_of }
}
