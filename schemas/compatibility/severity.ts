/** How much a finding weighs: `error` stops a merge; `warning` is said and goes through. */
export type Severity = 'error' | 'warning'
