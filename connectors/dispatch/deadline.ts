/** How long a question to dispatch may take; apart from the client, so that reading settings does not load gRPC. */

/**
 * Dispatch is asked 2 s after an order went out, again and again while it is held, 20 s at most: a slow answer is
 * worth less than the next question.
 */
export const defaultDispatchDeadlineMs = 500
