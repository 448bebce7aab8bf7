/** Disks that are small, full or read-only. Making one needs root on Linux; elsewhere the tests say why they skip. */
import { execFileSync } from 'node:child_process'
import { mkdirSync, mkdtempSync, rmSync, statfsSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

/** Why no disk can be mounted here; `undefined`: one can. */
export const noMounts: string | undefined = findOut()

function findOut(): string | undefined {
  if (process.platform !== 'linux' || process.getuid?.() !== 0)
    return 'mounting a small disk needs root on Linux'
  const probe = mkdtempSync(join(tmpdir(), 'waybill-mount-'))
  try {
    execFileSync('mount', ['-t', 'tmpfs', '-o', 'size=1m', 'tmpfs', probe], { stdio: 'pipe' })
    execFileSync('umount', [probe], { stdio: 'pipe' })
    return undefined
  } catch {
    return 'this machine lets nobody mount'
  } finally {
    rmSync(probe, { recursive: true, force: true })
  }
}

export interface SmallDisk {
  /** Takes all but so many bytes. */
  fill(leaveBytes: number): void
  /** Gives them back. */
  makeRoom(): void
  setReadOnly(readOnly: boolean): void
  unmount(): void
}

/** A disk of its own at the folder. */
export function mountSmallDisk(folder: string, megabytes: number): SmallDisk {
  mkdirSync(folder, { recursive: true })
  execFileSync('mount', ['-t', 'tmpfs', '-o', `size=${megabytes}m`, 'tmpfs', folder])
  const filler = join(folder, 'filler')
  return {
    fill(leaveBytes) {
      const { bavail, bsize } = statfsSync(folder)
      writeFileSync(filler, Buffer.alloc(Math.max(0, bavail * bsize - leaveBytes)))
    },
    makeRoom: () => rmSync(filler),
    setReadOnly: (readOnly) => {
      execFileSync('mount', ['-o', `remount,${readOnly ? 'ro' : 'rw'}`, folder])
    },
    unmount: () => {
      execFileSync('umount', ['-l', folder])
    },
  }
}
