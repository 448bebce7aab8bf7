/** Prometheus from Debian, unpacked rather than installed: its package would start a service. */
import { existsSync, mkdirSync, mkdtempSync, renameSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { startProcess } from '../process.ts'
import { runCommand } from '../run-command.ts'
import type { ServiceDefinition, StartContext } from '../service.ts'
import { answers } from '../waiting.ts'

export const prometheus: ServiceDefinition = {
  name: 'prometheus',
  needs: [],
  async prepare(context) {
    const root = await unpacked(context)
    const [port = 0] = await context.ports('prometheus')
    const { directory, assets } = context
    const url = `http://127.0.0.1:${port}`
    return {
      nodes: [
        {
          directory,
          async start() {
            await startProcess({
              name: 'Prometheus',
              directory,
              command: join(root, 'usr/bin/prometheus'),
              args: [
                `--config.file=${join(assets, 'prometheus/prometheus.yml')}`,
                `--web.listen-address=127.0.0.1:${port}`,
                `--storage.tsdb.path=${join(directory, 'data')}`,
                ...['--storage.tsdb.retention.time=1d', '--enable-feature=exemplar-storage'],
                ...['--web.enable-lifecycle', '--log.level=warn'],
              ],
              ready: () => answers(`${url}/-/ready`),
            })
          },
        },
      ],
      facts: { url, promtool: join(root, 'usr/bin/promtool') },
    }
  },
}

async function unpacked({ packages }: StartContext): Promise<string> {
  const place = join(packages.directory, 'prometheus')
  if (existsSync(place)) return place
  packages.report('fetching prometheus (Debian) …')
  mkdirSync(packages.directory, { recursive: true })
  const aside = mkdtempSync(`${place}.`)
  try {
    await runCommand(
      'sh',
      ['-c', 'apt-get download -qq prometheus && dpkg -x prometheus_*.deb . && rm *.deb'],
      {
        cwd: aside,
        mend: 'run `apt-get update` once; without Debian, use Docker',
      },
    )
    renameSync(aside, place)
  } catch (error) {
    rmSync(aside, { recursive: true, force: true })
    if (!existsSync(place)) throw error
  }
  return place
}
