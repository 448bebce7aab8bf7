/** Tells of endpoints that would not be called as things are: names that stand for forbidden addresses, or for none. */
import type { HostCheck } from '../../connectors/webhook/host-check.ts'
import type { PartnerSettings } from '../config/partner-settings.ts'

/** Looks all of them up at once; resolves when everything has been told. Nothing is told once `signal` aborts. */
export async function tellUncallable(
  partners: readonly PartnerSettings[],
  check: HostCheck,
  signal: AbortSignal,
  note: (text: string) => void,
): Promise<void> {
  const endpoints = partners.flatMap((partner) => partner.endpoints)
  await Promise.all(
    endpoints
      .filter(({ state }) => state !== 'disabled')
      .map(async ({ id, url }) => {
        const problem = await check(url)
        if (problem === undefined || signal.aborted) return
        note(
          `waybill: webhooks for ${id} would not be sent now: ${problem} — correct its url, or see docs/egress.md`,
        )
      }),
  )
}
