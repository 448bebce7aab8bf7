/** What mends a record that cannot be read, by the reason that it is put aside for. */
const mends: Readonly<Record<string, string>> = {
  not_an_envelope: 'send whole change messages: no ExtractNewRecordState or other flattening transform',
  unknown_schema: 'check JSON: this Avro needs the registry that it was written with',
  unmapped_source: 'add a block for this connector, or say connector: any',
  no_after: 'this connector leaves out rows: it cannot be used',
  no_order_id: 'correct order_id: in source.yaml',
  no_partner: 'correct partner_id: in source.yaml; every order belongs to a partner',
  no_assignment_id: 'correct assignment_id: in source.yaml',
  missing_column: 'correct the name of the column in source.yaml',
  unknown_status: 'map it under events:, or list it under no_event: if it means nothing to partners',
  wrong_type: 'correct the column in source.yaml',
}

/** The mend, as far as the reason tells it. */
export const mendOf = (reason: string): string => mends[reason] ?? 'look at the message'
