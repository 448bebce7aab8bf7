/** Remembers what was made of a text, for what is asked once for each call and changes with an endpoint's settings alone. */

/** The same answers for the same texts, the last `max` of them kept. What throws is not remembered. */
export function remembering<V extends NonNullable<unknown>>(
  make: (text: string) => V,
  max: number,
): (text: string) => V {
  const known = new Map<string, V>()
  return (text) => {
    const found = known.get(text)
    if (found !== undefined) return found
    const made = make(text)
    known.set(text, made)
    if (known.size > max) {
      const oldest = known.keys().next()
      if (!oldest.done) known.delete(oldest.value)
    }
    return made
  }
}
