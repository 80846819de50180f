/**
 * Every reason for which something was not sent, was sent later, or was given up. Closed: a new one is added here and
 * nowhere else. The key is a metric label, the text is what a person reads on the page and in `explain`.
 */
export const REASONS = {
  before_cutoff: 'happened before the cut-off of this destination: recorded, not announced',
  running_suppressed: 'was already running at first sight and firstSight.running is "suppress"',
  no_cronjob: 'belongs to no CronJob, and this destination takes the runs of CronJobs only',
  owner_unknown: 'waits until the owning CronJob is seen',
  owner_unseen:
    'the owning CronJob was not seen within 15 minutes, and only its annotations say whether and where to report the run',
  namespace_unknown:
    'waits up to two minutes until its namespace is seen, whose labels or annotations decide whether and where it is reported',
  namespace_unseen:
    'its namespace was not seen within two minutes: it was planned as if that had no annotation, and no namespaceSelector matched',
  not_selected: 'the object is not selected for this destination',
  no_source_revision:
    'names no commit: org.opencontainers.image.revision is missing as a label or annotation of the workload and of its pod template',
  manual_run: 'made by hand (kubectl create job --from, or "run now" of a tool) and manualRuns is "ignore"',
  pod_filtered: 'podFilter does not match the name of the pod',
  run_over: 'the run had ended before this was known: the vendor would show it as open again',
  already_failed:
    'the run was reported as failed when it got stuck: it fails once, and after that only its success is reported',
  awaiting_pods: 'waits up to 5 s for the pods that the Job counts as failed: they have the exit code',
  late_start:
    'not sent: the vendor takes the time at which a start arrives for that of the start. The end of the run is sent alone, with its duration',
  schedule_refused: 'the vendor cannot have the schedule of the CronJob, so none of its runs is reported',
  never_started: 'the Job was deleted before it ever started: it was not a run',
  awaiting_replacement: 'deleted while active; waits up to 30 s for the Job that replaces it',
  missed_schedule: 'no Job was made for this scheduled time',
  starting_deadline_exceeded: 'no Job was made for this scheduled time within startingDeadlineSeconds',
  forbid_active: 'the previous run was still active and concurrencyPolicy is Forbid: Kubernetes left this time out',
  zone_data_differ:
    "Kubernetes scheduled it at a time that its schedule does not have in the bridge's zone data: missed runs are not judged until they agree again",
  clock_ahead:
    'its lastScheduleTime is in the future, so the clock of the control plane is or was ahead: missed runs are not judged until then, and Kubernetes starts nothing before',
  schedule_unreadable: 'the bridge cannot read its schedule or does not know its time zone: missed runs are not judged',
  awaiting_outcome: 'gone from the cluster: waits for the record that says how it ended',
  outcome_unknown: 'gone from the cluster, and nothing says how it ended',
  not_a_failure: 'the pod was stopped (deleted, drained, scaled down, or its work was done): not a failure',
  part_of_run: 'belongs to a Job: reported with the failure of the Job, if it fails, and not by itself',
  reported_otherwise: 'the status of the object says the same and is reported',
  filtered_out: 'a filter of this destination leaves out its reason or source',
  level_none: 'the level of such failures is "none" for this destination: not reported',
  inferred: 'concluded from the status of its CronJob: no record of its Job arrived',
  corrects_inferred: 'the real ending, which differs from the one that was inferred and sent',
  planner_error: 'the bridge itself failed to plan this for this destination; everything else went on',
  key_conflict: 'another, older object owns this key; its settings are the ones that are sent',
  retired: 'the bridge was retired at that time: what it keeps at the vendor is paused, and it sends no telemetry',
  storm: 'over the storm budget of this destination: counted, and reported together by one digest',
  dry_run: 'dry run: everything was done except the request',
  delivered: 'delivered',
  delivered_again: 'delivered; an earlier try had an unknown outcome, so the vendor may have seen it twice',
  superseded: 'failed while a later delivery of the same run waited for two minutes: the later one goes first',
  expired: 'not delivered within outbox.maxAge',
  shutting_down: 'the bridge was stopping; it is tried again after the start',
  awaiting_logs: 'waits up to two minutes for the tail of the log that goes with it',
  awaiting_row: 'waits until the vendor has accepted the object that it belongs to',
  row_refused: 'sent although the vendor refuses the object that it belongs to for good',
  rate_limited: 'the vendor asked for a pause (429)',
  no_release: 'neither a label nor the tag of an image says which release was rolled out',
  paced: 'waits, so that the vendor is not sent more at a time than it takes',
  too_large: 'the vendor takes nothing of this size, although it was cut to the least',
  server_error: 'the vendor answered with a server error (5xx)',
  timeout: 'no answer in time; the outcome is unknown',
  answer_lost: 'the connection ended before the answer; the outcome is unknown',
  connection_failed: 'no connection to the vendor',
  bad_answer: 'the vendor answered with something that is not its API',
  unauthorized: 'the vendor refused the key (401)',
  forbidden: 'the vendor forbids this (403)',
  limited_key: 'the key may send telemetry but not configure anything',
  row_removed: 'the object that it belongs to was deleted at the vendor: this would make it again',
  not_found: 'the vendor does not know this (404)',
  bad_request: 'the vendor refused the request for good (4xx)',
  conflict: 'another client changes the same object at the same moment (409)',
  unknown_artifact: 'the vendor does not know this artifact: it is asked again after hours',
  job_failed: 'the vendor did not take the job for many objects at once: each is sent alone',
  rejected_by_job: 'a job for many objects did not take this one: it is sent alone',
  awaiting_turn: 'waits for its turn: few requests at a time go to this vendor',
  already_there: 'it was there already, written by another client: it is left as it is',
  object_gone: 'its object is not in the cluster any more',
  awaiting_start: 'its object has not started, and the time of its start is what is wanted: written once it is known',
  object_over: 'its object has ended or is being deleted: it is left as it is',
  destination_removed:
    'this destination is not in the configuration any more: what waits for it is given up after outbox.maxAge',
  run_removed: 'the run that it reports was removed from the store before it was sent',
  restored: 'waited to be sent when the backup was made that is now the store: it may have been sent since',
  beyond_retention:
    'older than everything the store still remembers: it may have been reported before, so it is not reported again',
  journal_overrun:
    'removed before it was exported: more Kubernetes Events came than are kept while the destination did not take them',
  log_empty: 'the container wrote no log',
  log_unavailable: 'the log was not there any more when it was read',
  log_forbidden: 'the bridge may not read logs (pods/log) in this namespace',
  log_limit: 'left out: all logs of the run together have more bytes than logs.maxRunBytes',
  log_expired: 'the text was removed: older than logs.keep, or more than logs.maxStoredBytes in all',
  undecodable: 'not an OTLP logs export, or a record of one that cannot be decoded',
  not_kubernetes: 'the record is not a Kubernetes object',
  unreadable_row:
    'a row of the store cannot be read: the disk lost a part of it; what it held is in quarantine, everything else goes on',
  core_error: 'the record could not be processed; it is kept in quarantine',
} as const;

export type Reason = keyof typeof REASONS;

/** Nothing is wrong: what was wanted has become needless, or is not wanted yet. */
export const NEEDLESS: ReadonlySet<Reason> = new Set(['already_there', 'object_gone', 'object_over', 'awaiting_start']);

/** What a person reads of a run on which no decision was taken, by its status. */
export function undecidedText(status: string): string {
  return status === 'missed' || status === 'skipped'
    ? 'Nothing is sent about a time without a run: a vendor that knows the schedule notices it by itself.'
    : 'Nothing has happened so far that is reported to a destination.';
}

/** A reason and what is known beyond it as people read them: stored details may begin with the keys of other reasons. */
export function reasonText(reason: Reason | undefined, detail?: string): string {
  const known = detail?.replaceAll(/(^|[:;] )([a-z_]+)(?=[:;]|$)/g, (all, before: string, key: string) =>
    isReason(key) ? before + REASONS[key] : all,
  );
  return [reason === undefined ? undefined : REASONS[reason], known].filter(Boolean).join(': ');
}

function isReason(key: string): key is Reason {
  return Object.hasOwn(REASONS, key);
}
