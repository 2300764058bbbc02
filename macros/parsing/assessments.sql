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

{#- A part of a key that a record may lack. -#}
{% macro key_part(column) -%}
    coalesce({{ rollcall.text(column) }}, '')
{%- endmacro %}

{#- What identifies a result on an outcome of Canvas: a student may have several logins, a quiz a result for each question. -#}
{% macro canvas_result_id() -%}
    {{ rollcall.record_key([
        rollcall.text('student id'),
        rollcall.key_part('student sis id'),
        rollcall.text('assessment id'),
        rollcall.text('assessment type'),
        rollcall.text('learning outcome id'),
        rollcall.key_part('assessment question id'),
    ]) }}
{%- endmacro %}

{#- What identifies a student's outcome of an assignment of Canvas. -#}
{% macro canvas_competency_id() -%}
    {{ rollcall.record_key([
        rollcall.text('student id'),
        rollcall.key_part('student sis id'),
        rollcall.text('assignment id'),
        rollcall.text('learning outcome id'),
    ]) }}
{%- endmacro %}

{#- What identifies an enrollment of Canvas; the section says the course, or the course has but one. -#}
{% macro canvas_enrollment_id() -%}
    {{ rollcall.record_key([
        rollcall.key_part('course_id'),
        rollcall.text('user_id'),
        rollcall.key_part('role'),
        rollcall.key_part('role_id'),
        rollcall.key_part('section_id'),
        rollcall.key_part('associated_user_id'),
    ]) }}
{%- endmacro %}

{#- What identifies a student's score for an assignment of Canvas. -#}
{% macro canvas_score_id() -%}
    {{ rollcall.record_key([rollcall.text('ID'), rollcall.text('[id]')]) }}
{%- endmacro %}

{#-
    A number that a person's settings may have written: a comma before the last one or two digits is a decimal comma, and
    what else stands between digits sets thousands apart.
-#}
{% macro written_number(column) -%}
    {%- set text = rollcall.text(column) -%}
    case
            when {{ rollcall.matches(text, '-?[0-9]{1,3}([.]?[0-9]{3})*,[0-9]{1,2}') }}
                then try_cast(replace(replace({{ text }}, '.', ''), ',', '.') as decimal(18, 6))
            when {{ rollcall.matches(text, '-?[0-9]{1,3}(,?[0-9]{3})*([.][0-9]+)?') }}
                then try_cast(replace({{ text }}, ',', '') as decimal(18, 6))
        end
{%- endmacro %}

{#- What identifies a result of ILEARN: a file has no id of a test, and is of one year. -#}
{% macro ilearn_result_id() -%}
    {{ rollcall.record_key([rollcall.text('STN'), rollcall.text('Test name')]) }}
{%- endmacro %}

{#- What Colorado measured, and whether it stands. -#}
{% macro cmas_measures() -%}
    {%- set columns = [
        'SS', 'SSCSEM', 'PerfLVL', 'TestReadingScaleScore', 'TestWritingRawScore', 'NotTestedCode', 'VoidScoreCode',
        'CalculatedInvalidation',
    ] -%}
    {%- for subclaim in range(1, 6) -%}
        {%- do columns.append('Subclaim' ~ subclaim ~ 'RawScore') -%}
    {%- endfor -%}
    {%- do return(columns) -%}
{%- endmacro %}

{#- When the last unit of a test of Colorado ended; null where it has no unit with a time, such as one on paper. -#}
{% macro cmas_ended_at() -%}
    greatest(unit_1_ended_at, unit_2_ended_at, unit_3_ended_at)
{%- endmacro %}

{#- Whether a result of Colorado is one; what makes it none goes before what keeps it from being reported. -#}
{% macro cmas_validity() -%}
    case
        when lower(not_tested_code) = 'y' or not_tested_reason is not null then 'not_tested'
        when lower(void_code) = 'y' or void_reason is not null then 'void'
        when lower(invalidation) <> 'valid score' then 'invalidated'
        when suppression_code is not null or suppression_action is not null then 'suppressed'
        when scale_score is null and performance_level is null then 'not_tested'
        else 'valid'
    end
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

{#- What Canvas says of a result beside the result itself: it changes when somebody sets other points for mastery. -#}
{% macro canvas_flags() -%}
    {%- do return([
        'learning outcome mastery score', 'learning outcome mastered', 'learning outcome rating', 'learning outcome rating points',
    ]) -%}
{%- endmacro %}

{#-
    One text that is equal for equal values of columns and different otherwise, whatever their spelling: `6` and `6.0` are
    the same, as are `TRUE` and `true`. What is done to each value stands once, since a vendor may have a hundred columns.
-#}
{% macro hash_of_columns(columns) -%}
    md5(array_to_string(list_transform(
            list_transform([
                {%- for column in columns %}
                {{ rollcall.text(column) }}{{ ',' if not loop.last }}
                {%- endfor %}
            ], lambda said: coalesce(cast({{ rollcall.number_of('said') }} as varchar), lower(said))),
            lambda value: coalesce(length(value) || ':' || value, '-')
        ), ','))
{%- endmacro %}
