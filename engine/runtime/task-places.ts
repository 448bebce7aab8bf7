/** Where a task's state lies on the instance's disk: one prefix per task and store, and one key for its changelog offset. */

/** No name of ours contains a `|`. */
export const storePrefix = (taskId: string, store: string): string => `s|${taskId}|${store}|`

export const changelogOffsetKey = (taskId: string, store: string): string => `o|${taskId}|${store}`
