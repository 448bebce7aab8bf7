/**
 * Which orders are nobody's: those of the example events that people have sent to try an endpoint. The beginning of an
 * order's id says so, because the id is in every record, row and body that speaks of a test, whatever became of it since.
 */

/** What the ids of such orders begin with. Reserved: an order of a source must not be called so. */
export const testOrderPrefix = 'waybill-test-'

/** Whether an order was made up for a test. Tests are shown like all others, and count for nothing. */
export const isTestOrder = (orderId: string): boolean => orderId.startsWith(testOrderPrefix)
