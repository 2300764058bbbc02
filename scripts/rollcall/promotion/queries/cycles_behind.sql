select published.cycle_id - built.cycle_id as value
from source_ledger.published_cycle as published
cross join $pilot.built_in_cycle as built
