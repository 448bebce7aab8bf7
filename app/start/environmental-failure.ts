/** Tells what broke around us from what is a bug of ours. */
import { RegistryError } from '../../connectors/registry/registry-error.ts'
import { DirectoryError, KafkaAccessError, LogError, LostPositionError } from '../../engine/index.ts'
import { DeliveryLogError } from '../../ports/delivery-log.ts'
import { SchemaError, SealingError } from '../../schemas/index.ts'
import { CliError } from '../cli/cli-error.ts'
import { exitCode } from '../cli/exit-code.ts'

/** What broke around us gets words and a mend; everything else is a bug and stays as it is. */
export function environmentalFailure(error: unknown): unknown {
  if (error instanceof KafkaAccessError) {
    const mend = `give ${error.principal} that right, or log in as somebody who has it (kafka.sasl, kafka.username)`
    return new CliError(
      exitCode.unreachable,
      { what: `Kafka refuses: ${error.message}`, mend },
      { cause: error },
    )
  }
  if (error instanceof RegistryError) {
    const code = error.kind === 'unreachable' || error.kind === 'unauthorized' ? 'unreachable' : 'usage'
    const mend = code === 'usage' ? 'mend that and start again' : 'check registry.url, and who we are to it'
    return new CliError(exitCode[code], { what: error.message, mend }, { cause: error })
  }
  if (error instanceof LogError && error.kind === 'retriable') {
    const mend =
      'brokers that start, or choose leaders, take a while: run it again when the cluster is well; nothing was lost'
    const problem = { what: `the record log cannot answer yet: ${error.message}`, mend }
    return new CliError(exitCode.unreachable, problem, { cause: error })
  }
  if (error instanceof LogError) {
    const mend = 'mend the cause (a full or failing disk?) and start again: nothing accepted is lost'
    const problem = { what: `the record log failed: ${error.message}`, mend }
    return new CliError(exitCode.unreachable, problem, { cause: error })
  }
  if (error instanceof LostPositionError) {
    const mend =
      error.reason === 'no_topic'
        ? 'find out who deleted it; `waybill topology plan` says what starting again would make anew'
        : 'find out what took it (retention, a tool, a broker that lost data); `waybill topology plan` lists every such place: set those offsets of the group on purpose, then start again'
    return new CliError(exitCode.unreachable, { what: error.message, mend }, { cause: error })
  }
  if (error instanceof DirectoryError) {
    // It says what, where and what to do about it.
    const problem = { what: `the state cannot be opened: ${error.message}`, mend: 'see --data-dir' }
    return new CliError(exitCode.unreachable, problem, { cause: error })
  }
  if (error instanceof DeliveryLogError) {
    const mend = 'mend that and start again; webhooks alone run with --no-api'
    const problem = { what: `the delivery log cannot be used: ${error.message}`, mend }
    return new CliError(exitCode.unreachable, problem, { cause: error })
  }
  if (error instanceof SealingError) {
    const problem = { what: error.message, mend: 'restore the key file that sealed this data' }
    return new CliError(exitCode.usage, problem, { cause: error })
  }
  const unknown = unknownSchemaIn(error)
  if (unknown) {
    const mend = 'nothing was lost: start the version that wrote it, or a later one'
    const problem = { what: `what was kept cannot be read: ${unknown.message}`, mend }
    return new CliError(exitCode.usage, problem, { cause: error })
  }
  return error
}

/** Serdes and the engine wrap it in words of theirs. */
function unknownSchemaIn(error: unknown): SchemaError | undefined {
  for (let at: unknown = error; at instanceof Error; at = at.cause) {
    if (at instanceof SchemaError && at.reason === 'unknown_schema') return at
  }
  return undefined
}
