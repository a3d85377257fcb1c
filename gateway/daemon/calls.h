/* The calls of docs/API.md, one function each. Part of qcloud-gateway. */
#pragma once
#include "http.h"

QC_MUST qc_rc call_metrics(struct request *r, struct answer *ret, struct qc_err *err);
QC_MUST qc_rc call_dashboard(struct request *r, struct answer *ret, struct qc_err *err);
QC_MUST qc_rc call_style(struct request *r, struct answer *ret, struct qc_err *err);
QC_MUST qc_rc call_healthz(struct request *r, struct answer *ret, struct qc_err *err);
QC_MUST qc_rc call_readyz(struct request *r, struct answer *ret, struct qc_err *err);
QC_MUST qc_rc call_health(struct request *r, struct answer *ret, struct qc_err *err);
QC_MUST qc_rc call_status(struct request *r, struct answer *ret, struct qc_err *err);
QC_MUST qc_rc call_tenants(struct request *r, struct answer *ret, struct qc_err *err);
QC_MUST qc_rc call_tenant_add(struct request *r, struct answer *ret, struct qc_err *err);
QC_MUST qc_rc call_tenant_change(struct request *r, struct answer *ret, struct qc_err *err);
QC_MUST qc_rc call_request(struct request *r, struct answer *ret, struct qc_err *err);
QC_MUST qc_rc call_vaults(struct request *r, struct answer *ret, struct qc_err *err);
QC_MUST qc_rc call_backups(struct request *r, struct answer *ret, struct qc_err *err);
QC_MUST qc_rc call_vault_put(struct request *r, struct answer *ret, struct qc_err *err);
QC_MUST qc_rc call_vault_get(struct request *r, struct answer *ret, struct qc_err *err);
QC_MUST qc_rc call_chain(struct request *r, struct answer *ret, struct qc_err *err);
QC_MUST qc_rc call_entry_get(struct request *r, struct answer *ret, struct qc_err *err);
QC_MUST qc_rc call_entry_list(struct request *r, struct answer *ret, struct qc_err *err);
QC_MUST qc_rc call_entry_rename(struct request *r, struct answer *ret, struct qc_err *err);
QC_MUST qc_rc call_entry_remove(struct request *r, struct answer *ret, struct qc_err *err);
QC_MUST qc_rc call_upload_begin(struct request *r, struct answer *ret, struct qc_err *err);
QC_MUST qc_rc call_segment(struct request *r, struct answer *ret, struct qc_err *err);
QC_MUST qc_rc call_commit(struct request *r, struct answer *ret, struct qc_err *err);
QC_MUST qc_rc call_entry_some(struct request *r, struct answer *ret, struct qc_err *err);
QC_MUST qc_rc call_purge(struct request *r, struct answer *ret, struct qc_err *err);
QC_MUST qc_rc call_retain(struct request *r, struct answer *ret, struct qc_err *err);
QC_MUST qc_rc call_members(struct request *r, struct answer *ret, struct qc_err *err);
QC_MUST qc_rc call_members_bytes(struct request *r, struct answer *ret, struct qc_err *err);
QC_MUST qc_rc call_read_some(struct request *r, struct answer *ret, struct qc_err *err);
QC_MUST qc_rc call_upload_clouds(struct request *r, struct answer *ret, struct qc_err *err);
QC_MUST qc_rc call_upload_get(struct request *r, struct answer *ret, struct qc_err *err);
QC_MUST qc_rc call_upload_resume(struct request *r, struct answer *ret, struct qc_err *err);
QC_MUST qc_rc call_upload_cancel(struct request *r, struct answer *ret, struct qc_err *err);
QC_MUST qc_rc call_content(struct request *r, struct answer *ret, struct qc_err *err);
QC_MUST qc_rc call_backup(struct request *r, struct answer *ret, struct qc_err *err);
QC_MUST qc_rc call_info(struct request *r, struct answer *ret, struct qc_err *err);
QC_MUST qc_rc call_repair(struct request *r, struct answer *ret, struct qc_err *err);
QC_MUST qc_rc call_scrub(struct request *r, struct answer *ret, struct qc_err *err);
QC_MUST qc_rc call_scrub_get(struct request *r, struct answer *ret, struct qc_err *err);
QC_MUST qc_rc call_scrub_hand(struct request *r, struct answer *ret, struct qc_err *err);
QC_MUST qc_rc call_drill(struct request *r, struct answer *ret, struct qc_err *err);
QC_MUST qc_rc call_drill_get(struct request *r, struct answer *ret, struct qc_err *err);
QC_MUST qc_rc call_drill_cancel(struct request *r, struct answer *ret, struct qc_err *err);
QC_MUST qc_rc call_job_get(struct request *r, struct answer *ret, struct qc_err *err);
QC_MUST qc_rc call_job_cancel(struct request *r, struct answer *ret, struct qc_err *err);
QC_MUST qc_rc call_clouds(struct request *r, struct answer *ret, struct qc_err *err);
QC_MUST qc_rc call_exit_plan(struct request *r, struct answer *ret, struct qc_err *err);
QC_MUST qc_rc call_code_plan(struct request *r, struct answer *ret, struct qc_err *err);
QC_MUST qc_rc call_move(struct request *r, struct answer *ret, struct qc_err *err);
QC_MUST qc_rc call_move_get(struct request *r, struct answer *ret, struct qc_err *err);
QC_MUST qc_rc call_move_cancel(struct request *r, struct answer *ret, struct qc_err *err);

QC_MUST qc_rc call_snapshot(struct request *r, struct answer *ret, struct qc_err *err);
QC_MUST qc_rc call_links(struct request *r, struct answer *ret, struct qc_err *err);
QC_MUST qc_rc call_links_test(struct request *r, struct answer *ret, struct qc_err *err);
QC_MUST qc_rc call_log(struct request *r, struct answer *ret, struct qc_err *err);
QC_MUST qc_rc call_log_level(struct request *r, struct answer *ret, struct qc_err *err);
QC_MUST qc_rc call_jobs(struct request *r, struct answer *ret, struct qc_err *err);
QC_MUST qc_rc call_job_act(struct request *r, struct answer *ret, struct qc_err *err);
QC_MUST qc_rc call_debts(struct request *r, struct answer *ret, struct qc_err *err);
QC_MUST qc_rc call_debts_retry(struct request *r, struct answer *ret, struct qc_err *err);
QC_MUST qc_rc call_cloud_test(struct request *r, struct answer *ret, struct qc_err *err);
QC_MUST qc_rc call_selftest(struct request *r, struct answer *ret, struct qc_err *err);
QC_MUST qc_rc call_snapshots(struct request *r, struct answer *ret, struct qc_err *err);
QC_MUST qc_rc call_snapshot_check(struct request *r, struct answer *ret, struct qc_err *err);
QC_MUST qc_rc call_sweep(struct request *r, struct answer *ret, struct qc_err *err);

/* Dead keys as JSON: for the call, and for the operator's command where no daemon runs. */
QC_MUST qc_rc sweep_json(struct json_t **ret, struct gw_engine *e, struct qc_err *err);
/* Status as JSON: also for `qcloud-gateway status --json`. */
QC_MUST qc_rc status_json(struct json_t **ret, struct gw_engine *e, struct levels *l, struct qc_err *err);
/* "level" and "link" of the way to a URL. */
QC_MUST qc_rc way_json(struct json_t *o, struct levels *l, const char *url, struct qc_err *err);
/* What a tenant sees of it. */
QC_MUST qc_rc tenant_status_json(struct json_t **ret, struct gw_engine *e, uint32_t tenant,
                                 struct qc_err *err);
/* The tenants as JSON, and a change of one (name NULL: a new one, named in the body): the same for the daemon
 * and for the operator's command where no daemon runs. */
QC_MUST qc_rc tenants_json(struct json_t **ret, struct gw_engine *e, struct qc_err *err);
QC_MUST qc_rc tenant_change_json(struct json_t **ret, struct gw_engine *e, const char *name,
                                 const struct json_t *body, struct qc_err *err);
