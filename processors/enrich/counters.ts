/** Names of ENRICH's counters; labels in brackets. Nothing is dropped or decided in silence. */
export const enrichCounters = {
  /** Events sent on [event]. */
  events: 'enrich_events',
  /** out_for_delivery events by how complete they were [status]. */
  enrichments: 'enrich_enrichments',
  /** Changes that were only remembered [why]. */
  hydrated: 'enrich_hydrated',
  /** Changes that are no news [by]: repeats after a crash, late snapshot rows. */
  stale: 'enrich_stale',
  /** Changes of another source or lineage than the one before, taken without comparing. */
  incomparable: 'enrich_incomparable',
  /** Rows deleted. */
  deleted: 'enrich_deleted',
  /** Deletes that turned out to be half of a REPLACE. */
  replaced: 'enrich_replaced',
  /** Transitions that only a snapshot row showed; somebody should look [event]. */
  missed: 'enrich_missed_transitions',
  /** What people asked to have sent [outcome]. */
  gapCommands: 'enrich_gap_commands',
  /** Updates of orders never seen, without a row before. */
  unknownPrevious: 'enrich_unknown_previous',
  /** Inserts that were old when they were captured. */
  imports: 'enrich_imports',
  /** Orders that began to be held. */
  held: 'enrich_held',
  /** Assignments taken [op]. */
  assignments: 'enrich_assignments',
  /** Assignments that are no news. */
  staleAssignments: 'enrich_stale_assignments',
  /** Riders that came or changed after their event had left [case]. */
  lateRiders: 'enrich_late_riders',
  /** Questions to dispatch by how they ended [outcome]. */
  lookups: 'enrich_lookups',
  /** Delete markers, riders and orders forgotten [what]. */
  forgotten: 'enrich_forgotten',
} as const
