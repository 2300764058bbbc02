{#-
    The incremental pattern of models whose rows follow from inputs that carry a fingerprint: forget the rows whose
    inputs changed, went away or expired, then add what is missing. Such a table equals one that is built whole.

    A model uses it by one line at its top and reads its inputs through `changed_inputs`:

        {{ add_where_inputs_changed('int_student_inputs') }}
        with students as ({{ changed_inputs(ref('int_student_inputs')) }}) ...

    It carries `inputs_fingerprint` on, and, where rows expire, `expires_at`.
-#}

{#- The configuration of such a model. `inputs`: the model that has one fingerprint for each set of inputs. -#}
{% macro add_where_inputs_changed(inputs, rows_expire=false) -%}
    {%- do ref(inputs) -%}
    {%- do ref('stg_landing__cycles') -%}
    {{ config(
        materialized='incremental',
        pre_hook="{{ rollcall.forget_outdated('" ~ inputs ~ "', rows_expire=" ~ rows_expire ~ ") }}",
    ) }}
{%- endmacro %}

{#- The inputs of which the table holds no row yet; all of them when it is built whole. -#}
{% macro changed_inputs(inputs) -%}
    select * from {{ inputs }}
    {%- if is_incremental() %}
    anti join {{ this }} using (inputs_fingerprint)
    {%- endif %}
{%- endmacro %}

{#- Delete the rows that hold no longer; with `rows_expire`, also all that share a fingerprint with an expired one. -#}
{% macro forget_outdated(inputs, rows_expire) -%}
    {% if is_incremental() %}
    delete from {{ this }}
    where
        inputs_fingerprint not in (select inputs_fingerprint from {{ ref(inputs) }})
        {% if rows_expire -%}
        or inputs_fingerprint in (
            select stored.inputs_fingerprint
            from {{ this }} as stored
            inner join {{ ref('stg_landing__cycles') }} as cycles on stored.expires_at < cycles.as_of and cycles.is_current
        )
        {%- endif %}
    {% endif %}
{%- endmacro %}

{#- A number that is equal for equal sets of rows, whatever their order: the sum of the fingerprints of the rows. -#}
{% macro fingerprint_of_all(fingerprint) -%}
    cast(coalesce(sum({{ fingerprint }}), 0) as decimal(38, 0))
{%- endmacro %}

{#- One text that is equal for equal columns and different otherwise: each value with its length, null apart. -#}
{% macro text_hash(columns) -%}
    md5(concat(
        {%- for column in columns %}
        coalesce(length(cast({{ column }} as varchar)) || ':' || cast({{ column }} as varchar), '-'){{ ',' if not loop.last }}
        {%- endfor %}
    ))
{%- endmacro %}
