select
    word,
    meaning
from vocabulary
order by word
