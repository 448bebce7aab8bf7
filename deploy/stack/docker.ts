/** Whether there is a Docker engine to ask. */
import { execFileSync } from 'node:child_process'

/** STACK_FROM=packages keeps away from one that answers. */
export function dockerAnswers(): boolean {
  if (process.env.STACK_FROM === 'packages') return false
  try {
    execFileSync('docker', ['version', '--format', '{{.Server.Version}}'], {
      stdio: 'ignore',
      timeout: 10_000,
    })
    return true
  } catch {
    // No client, or no engine behind it: both mean that there is none to use.
    return false
  }
}
