{#- What assessment exports share: the keys of their records, and the columns that are no result. -#}

{#- The key of the record itself, joinable alone, where several columns identify it. `record_key`: SQL of that key. -#}
{% macro own_record_key(record_key) -%}
    files.source_id || ':' || {{ record_key }}
{%- endmacro %}

{#- The year in which the school year ends that a text ends with, such as 2022 of `Fall 2021-2022`. -#}
{% macro school_year(column) -%}
    {%- set text = rollcall.text(column) -%}
    case when {{ rollcall.matches(text, '(.*[^0-9])?[0-9]{4}-[0-9]{4}') }} and cast(left(right({{ text }}, 9), 4) as integer) + 1 = cast(right({{ text }}, 4) as integer) then cast(right({{ text }}, 4) as integer) end
{%- endmacro %}

{#- What identifies a result of NWEA: `TestID` may be blank, and a combined file has none. -#}
{% macro nwea_result_id() -%}
    {{ rollcall.record_key([
        rollcall.text('TermName'),
        rollcall.text('StudentID'),
        rollcall.text('TestName'),
        rollcall.us_date('TestStartDate'),
        rollcall.time_of_day('TestStartTime'),
    ]) }}
{%- endmacro %}

{#- What identifies a student of NWEA in a term and a school. -#}
{% macro nwea_student_id() -%}
    {{ rollcall.record_key([rollcall.text('TermName'), rollcall.text('SchoolName'), rollcall.text('StudentID')]) }}
{%- endmacro %}

{#- What identifies a result of i-Ready: the days on which the student began and finished. -#}
{% macro iready_result_id() -%}
    {{ rollcall.record_key([
        rollcall.text('Student ID'), rollcall.us_date('Start Date'), rollcall.us_date('Completion Date'),
    ]) }}
{%- endmacro %}

{#-
    What identifies an attempt at a lesson of i-Ready. A student may finish a lesson twice in a day, and nothing but time
    and score tells the attempts apart; identical records are one.
-#}
{% macro iready_lesson_id() -%}
    {{ rollcall.record_key([
        rollcall.text('Student ID'),
        rollcall.text('Lesson ID'),
        rollcall.us_date('Completion Date'),
        rollcall.integer('Total Time on Lesson (min)'),
        rollcall.integer('Score'),
    ]) }}
{%- endmacro %}

{#- What identifies what a Star test says of a standard. -#}
{% macro star_standard_id() -%}
    {{ rollcall.record_key([rollcall.text('AssessmentID'), rollcall.text('StandardName')]) }}
{%- endmacro %}

{#- What identifies what a Star test says of a skill area. -#}
{% macro star_skill_area_id() -%}
    {{ rollcall.record_key([rollcall.text('AssessmentID'), rollcall.text('SkillAreaName')]) }}
{%- endmacro %}

{#- What NWEA says of a result beside the result itself: it changes with later tests, norms and the term of the export. -#}
{% macro nwea_flags() -%}
    {%- set columns = ['GrowthMeasureYN', 'NormsReferenceData', 'TestPercentile', 'AchievementQuintile', 'ProjectedProficiency'] -%}
    {%- set measures = [
        'ProjectedGrowth', 'ObservedGrowth', 'ObservedGrowthSE', 'MetProjectedGrowth', 'ConditionalGrowthIndex',
        'ConditionalGrowthPercentile', 'GrowthQuintile',
    ] -%}
    {%- for span in ['FallToFall', 'FallToWinter', 'FallToSpring', 'WinterToWinter', 'WinterToSpring', 'SpringToSpring'] -%}
        {%- do columns.append('Typical' ~ span ~ 'Growth') -%}
        {%- for measure in measures -%}
            {%- do columns.append(span ~ measure) -%}
        {%- endfor -%}
    {%- endfor -%}
    {%- for study in range(1, 11) -%}
        {%- do columns.append('ProjectedProficiencyLevel' ~ study) -%}
    {%- endfor -%}
    {%- do return(columns) -%}
{%- endmacro %}

{#- What i-Ready says of a result beside the result itself; columns by the names in which they land. -#}
{% macro iready_flags() -%}
    {%- do return([
        'Diagnostic used to establish Growth Measures (Y/N)', 'Most Recent Diagnostic (Y/N)', 'Norming Window',
        'Percentile', 'Grouping', 'Annual Typical Growth Measure', 'Annual Stretch Growth Measure', 'Diagnostic Gain',
        'Percent Progress to Annual Typical Growth (%)', 'Percent Progress to Annual Stretch Growth (%)',
        'Assessment Gain', 'Mid On Grade Level Scale Score',
    ]) -%}
{%- endmacro %}

{#- What Renaissance says of a result beside the result itself. -#}
{% macro star_flags() -%}
    {%- set columns = ['PercentileRank', 'NormalCurveEquivalent', 'GradeEquivalent', 'CurrentSGP', 'OpenGrowthScore'] -%}
    {%- for terms in ['FallFall', 'FallSpring', 'FallWinter', 'SpringFall', 'SpringSpring', 'WinterSpring'] -%}
        {%- do columns.append('StudentGrowthPercentile' ~ terms) -%}
    {%- endfor -%}
    {%- for owner in ['Renaissance', 'State', 'District', 'School'] -%}
        {%- do columns.append(owner ~ 'BenchmarkCategoryName') -%}
    {%- endfor -%}
    {%- do return(columns) -%}
{%- endmacro %}

{#- A column as it is compared with itself in another export: `6` and `6.0` are the same, as are `TRUE` and `true`. -#}
{% macro as_compared(column) -%}
    coalesce(cast({{ rollcall.number(column) }} as varchar), lower({{ rollcall.text(column) }}))
{%- endmacro %}

{#- One text that is equal for equal values of columns and different otherwise, whatever their spelling. -#}
{% macro hash_of_columns(columns) -%}
    md5(array_to_string(list_transform([
            {%- for column in columns %}
            {{ rollcall.as_compared(column) }}{{ ',' if not loop.last }}
            {%- endfor %}
        ], lambda value: coalesce(length(value) || ':' || value, '-')), ','))
{%- endmacro %}
