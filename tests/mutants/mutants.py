"""The planted bugs: each a change of one place of our own code that some rule forbids, and who must notice.

Text that is not in its file exactly once is stale, and told as such: the mutant must follow the code.
"""

from typing import NamedTuple


class Mutant(NamedTuple):
    """`old` in `file` becomes `new`; that `breaks` a rule, and the killer of that name must find it."""

    name: str
    file: str
    old: str
    new: str
    breaks: str
    killer: str


MUTANTS = (
    Mutant(
        "credit_by_assignment",
        "firmware/wallet.py",
        "state.credited_mills = max(state.credited_mills, statement.credited_mills)",
        "state.credited_mills = statement.credited_mills",
        "A2",
        "late_frames",
    ),
    Mutant(
        "debit_by_assignment",
        "firmware/wallet.py",
        "state.debited_mills = max(state.debited_mills, statement.debited_mills)",
        "state.debited_mills = statement.debited_mills",
        "A2",
        "debits",
    ),
    Mutant(
        "remainder_dropped",
        "protocol/rules/rating.py",
        "    return spent_mills, remainder\n",
        "    return spent_mills, 0\n",
        "B3",
        "tests/worlds/test_model_against_kernel.py::test_i16_the_model_and_the_kernel_come_to_the_same",
    ),
    Mutant(
        "block_edge_off_by_one",
        "protocol/rules/rating.py",
        "        if room_l > 0:",
        "        if room_l > 1:",
        "B2",
        "plain_month",
    ),
    Mutant(
        "local_month_forgotten",
        "protocol/rules/rating.py",
        "0 if months else state.position_l)",
        "state.position_l)",
        "B2",
        "plain_month",
    ),
    Mutant(
        "money_in_floats",
        "protocol/rules/rating.py",
        "        amount += quantity * price",
        "        amount += int(quantity * (price * 0.01) * 100)",
        "A1",
        "plain_month",
    ),
    Mutant(
        "a_day_accrued_twice",
        "protocol/rules/rating.py",
        "min(max(day - state.day, 0), DAYS_AT_ONCE_MAX)",
        "min(abs(day - state.day), DAYS_AT_ONCE_MAX)",
        "B7",
        "tests/worlds/test_model_against_kernel.py::test_i16_the_model_and_the_kernel_come_to_the_same",
    ),
    Mutant(
        "boundaries_on_an_unsure_clock",
        "protocol/rules/rating.py",
        "    if not sure:\n        return state.day, state.month, 0, 0\n",
        "",
        "C2",
        "tests/worlds/test_model_against_kernel.py::test_i16_the_model_and_the_kernel_come_to_the_same",
    ),
    Mutant(
        "instalment_out_of_nothing",
        "protocol/rules/debt.py",
        " or balance_mills < due_mills:",
        ":",
        "B7",
        "debts",
    ),
    Mutant(
        "sync_skipped_for_counters",
        "firmware/frame_counter.py",
        "            self.reserved = self.next + BLOCK\n            self.save(downlink_highest)",
        "            self.reserved = self.next + BLOCK",
        "I15",
        "power",
    ),
    Mutant(
        "nonce_again_after_boot",
        "firmware/frame_counter.py",
        "        self.next = self.reserved\n",
        "        self.next = max(self.reserved - BLOCK, 0)\n",
        "I15",
        "power",
    ),
    Mutant(
        "one_copy_written",
        "firmware/flash_record.py",
        "        for directory in DIRECTORIES:\n            self.files.replace(",
        "        for directory in DIRECTORIES[:1]:\n            self.files.replace(",
        "M4",
        "flips",
    ),
    Mutant(
        "crc_not_looked_at",
        "firmware/flash_record.py",
        '    if crc32(body) != int.from_bytes(record[-CRC_BYTES:], "big"):',
        "    if len(body) < CRC_BYTES:",
        "M4",
        "flips",
    ),
    Mutant(
        "slot_not_persisted",
        "firmware/slots.py",
        "            self.meter.persist()\n            self.meter.slot_log.append(state.last_record)",
        "            self.meter.slot_log.append(state.last_record)",
        "I8",
        "cuts",
    ),
    Mutant(
        "format_on_a_mount_that_failed",
        "firmware/boot_rules.py",
        "        return RESTORE if flash == MOUNTS else ALARM",
        "        return RESTORE if flash == MOUNTS else FACTORY",
        "M5",
        "lost_blocks",
    ),
    Mutant(
        "window_not_advanced",
        "firmware/downlink.py",
        "        state.window = accept(state.window, counter)\n",
        "",
        "I14",
        "late_frames",
    ),
    Mutant(
        "window_forgets_what_it_saw",
        "protocol/wire/window.py",
        "    return age < SIZE and not (window.bitmap >> age) & 1",
        "    return age < SIZE",
        "I14",
        "late_frames",
    ),
    Mutant(
        "stale_command_done_again",
        "firmware/commands.py",
        "        if command.id <= state.command:",
        "        if command.id < state.command:",
        "D1",
        "commands",
    ),
    Mutant(
        "expired_command_done",
        "firmware/commands.py",
        "    if state.sure and command.expires_unix_s <= unix_s:",
        "    if command.expires_unix_s < 0:",
        "I24",
        "commands",
    ),
    Mutant(
        "closing_on_an_unsure_clock",
        "firmware/commands.py",
        "        if not state.sure:\n            return command_codes.CLOCK_UNSURE\n",
        "",
        "I11",
        "closing",
    ),
    Mutant(
        "stale_policy_taken",
        "firmware/packs.py",
        "            if kind != DOWN_TARIFF and pack.version <= held.version:\n                return False\n",
        "",
        "D1",
        "policies",
    ),
    Mutant(
        "tag_not_compared",
        "protocol/wire/envelope.py",
        "    return ccm_open(key, nonce, bytes(frame[3:]), additional_data(key_set.meter_id, frame[0]))",
        "    text = ccm_open(key, nonce, bytes(frame[3:]), additional_data(key_set.meter_id, frame[0]))\n"
        "    return bytes(frame[3:-8]) if text is None else text",
        "I14",
        "forged",
    ),
    Mutant(
        "water_through_a_closed_valve_not_told",
        "firmware/valve.py",
        "        if self.gush_ml >= STUCK_OPEN_PULSES * self.pulse_l * 1000:",
        "        if self.gush_ml >= 1000 * STUCK_OPEN_PULSES * self.pulse_l * 1000:",
        "I10",
        "valves",
    ),
    Mutant(
        "open_without_credit",
        "protocol/rules/decision.py",
        "    if situation.wallet_opened and situation.balance_mills > 0:",
        "    if situation.wallet_opened and situation.balance_mills > -100000:",
        "I9",
        "plain_month",
    ),
    Mutant(
        "statement_echo_lost",
        "firmware/reports.py",
        "        cut.statement & 63,",
        "        0,",
        "B8",
        "tests/semantics/test_dear_downlinks.py::test_ct_05_a_new_cadence_is_told_at_once",
    ),
    Mutant(
        "posted_out_of_order",
        "headend/ingest/next_run.py",
        "run.first_slot <= state.frontier_slot < run.end_slot",
        "state.frontier_slot < run.end_slot",
        "F1",
        "tests/headend/test_ingest_order.py::test_f1_any_order_and_repetition_of_uplinks_ends_in_the_same_books[0]",
    ),
    Mutant(
        "slots_posted_again",
        "headend/ingest/advance.py",
        "    skipped = state.frontier_slot - log.first_slot\n    litres = log.litres[skipped:]",
        "    skipped = 0\n    litres = log.litres[skipped:]",
        "I5",
        "late_frames",
    ),
    Mutant(
        "downlink_counter_not_saved",
        "headend/downlink/desired.py",
        "    return replace(link, down_next=link.down_next + len(numbered)), reply",
        "    return replace(link, down_next=link.down_next + len(numbered) - 1), reply",
        "I15",
        "plain_month",
    ),
    Mutant(
        "correction_credits_twice",
        "headend/billing/correct.py",
        "        missing[wallet if class_ in _OF_WALLETS else account] -= mills",
        "        missing[wallet if class_ in _OF_WALLETS else account] -= mills // 2",
        "B5",
        "late_tariffs",
    ),
    Mutant(
        "rise_borne_by_the_wallet",
        "headend/billing/correct.py",
        '    if amount < 0 or late == "debit":',
        '    if amount < 0 or late != "debt":',
        "B6",
        "late_tariffs",
    ),
    Mutant(
        "dedupe_dropped",
        "headend/ledger/payments.py",
        '        "WHERE provider = ? AND provider_txn_id = ?",\n'
        "        (payment.provider, payment.provider_txn_id),\n"
        "    ).fetchone()\n"
        "    if row is None:",
        '        "WHERE provider = ? AND provider_txn_id = ?",\n'
        "        (payment.provider, payment.provider_txn_id),\n"
        "    ).fetchone()\n"
        "    if row is None or not payment.amount_minor % 2:",
        "I4",
        "payments",
    ),
    Mutant(
        "reversal_takes_what_is_used",
        "headend/ledger/posting_rules.py",
        "    taken_mills = min(amount_mills, max(0, unspent_mills))",
        "    taken_mills = amount_mills",
        "E2",
        "payments",
    ),
    Mutant(
        "acknowledged_before_commit",
        "headend/storage/writer.py",
        '            head = self._append_link(tx)\n            tx.cursor.execute("COMMIT")',
        "            head = self._append_link(tx)\n"
        "            self._resolve(outcomes)\n"
        '            tx.cursor.execute("COMMIT")\n'
        "            self._head = head\n"
        "            return []",
        "I13",
        "tests/crash/test_images.py::test_i13_a_cut_in_the_middle_of_payments_loses_none_that_was_acknowledged",
    ),
    Mutant(
        "chain_skips_payments",
        "headend/storage/writer.py",
        "        self.records.append(chain.row_record(table, full))",
        '        if table != "payment":\n            self.records.append(chain.row_record(table, full))',
        "I2",
        "payments",
    ),
    Mutant(
        "swap_forgets_the_block",
        "headend/meters/swap.py",
        "        position_l=final.stands.position_l,",
        "        position_l=0,",
        "A4",
        "tests/semantics/test_swap.py::test_the_month_costs_what_the_neighbours_costs[0-True]",
    ),
    Mutant(
        "restore_without_a_jump",
        "headend/recovery.py",
        "        passed = (counter // COUNTER_STEP + 1) * COUNTER_STEP + COUNTER_STEP\n"
        "        tx.cursor.execute(\n"
        '            "UPDATE meter_link SET down_next = max(down_next, ?) WHERE meter_id = ? AND generation = ?",\n'
        "            (passed, meter_id, generation),\n"
        "        )\n"
        '    return int(tx.cursor.execute("UPDATE meter_link SET down_next = down_next + ?", (jump,)).rowcount)\n',
        "        assert counter >= 0\n    return jump\n",
        "D3",
        "restores",
    ),
    Mutant(
        "quarantine_not_kept",
        "headend/ingest/pipeline.py",
        "        if decoded.authentic.quarantined or witness is not None:",
        "        if witness is not None:",
        "A4",
        "old_flash",
    ),
)

BY_NAME = {mutant.name: mutant for mutant in MUTANTS}
