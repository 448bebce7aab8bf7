/**
 * Recursion without the call stack. A schema may nest as deep as its author likes and refer to itself in long
 * chains; a walk written as a generator that yields its sub-walks is run with a stack of its own.
 */

/** A walk that yields sub-walks, is resumed with their results and returns its own. */
export type Walk<T> = Generator<Walk<T>, T, T>

/** Runs a walk to its end. */
export function runWalk<T>(root: Walk<T>): T {
  const stack: Walk<T>[] = [root]
  let step = root.next()
  for (;;) {
    if (!step.done) {
      stack.push(step.value)
      step = step.value.next()
      continue
    }
    stack.pop()
    const parent = stack.at(-1)
    if (!parent) return step.value
    step = parent.next(step.value)
  }
}
