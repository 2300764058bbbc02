"""Run Rollcall every night: 3 asks for a person, every other code but 0 fails and is retried."""

from datetime import datetime, timedelta

from airflow.providers.standard.operators.bash import BashOperator
from airflow.sdk import DAG

PROJECT = "/srv/rollcall"

# The code is the last line printed, so Airflow keeps it as the XCom of the task.
CYCLE = """
.venv/bin/rollcall cycle
code=$?
echo $code
[ $code -eq 0 ] || [ $code -eq 3 ] || exit $code
"""

# 99 marks the task as skipped: there is nothing for a person to look at.
LOOK = """
[ "$CYCLE_CODE" = 3 ] || exit 99
.venv/bin/rollcall status
"""

with DAG(
    dag_id="rollcall",
    schedule="30 2 * * *",
    start_date=datetime(2026, 1, 1),
    catchup=False,
    max_active_runs=1,
    default_args={"cwd": PROJECT, "retries": 2, "retry_delay": timedelta(minutes=15)},
):
    cycle = BashOperator(task_id="cycle", bash_command=CYCLE)
    look = BashOperator(
        task_id="needs_a_person",
        bash_command=LOOK,
        env={"CYCLE_CODE": "{{ ti.xcom_pull(task_ids='cycle') }}"},
        append_env=True,
    )
    cycle >> look
