{#- Every staged feed: its mart, its staged records, and the raw table of each of its column structures. -#}
{% macro reconciled_feeds() %}
    {% set feeds = [] %}
    {% for name, mart, versions in [
        ('academic_sessions', ref('dim_term'), ['1.1']),
        ('categories', ref('dim_category'), ['1.1', '1.2']),
        ('classes', ref('dim_class'), ['1.1']),
        ('courses', ref('dim_course'), ['1.1']),
        ('enrollments', ref('fct_enrollment'), ['1.1']),
        ('line_item_learning_objective_ids', ref('fct_line_item_objective'), ['1.2']),
        ('line_items', ref('dim_line_item'), ['1.1', '1.2']),
        ('orgs', ref('dim_org'), ['1.1']),
        ('result_learning_objective_ids', ref('fct_result_objective'), ['1.2']),
        ('results', ref('fct_result'), ['1.1', '1.2']),
        ('roles', ref('fct_role'), ['1.2']),
        ('users', ref('dim_user'), ['1.1', '1.2', '1.2.1']),
    ] %}
        {% set raw_tables = {} %}
        {% for version in versions %}
            {% do raw_tables.update({version: source('raw_oneroster', name ~ '_' ~ version | replace('.', '_'))}) %}
        {% endfor %}
        {% do feeds.append({
            'feed': 'oneroster/' ~ name,
            'mart': mart,
            'staged': ref('stg_oneroster__' ~ name),
            'raw_tables': raw_tables,
        }) %}
    {% endfor %}
    {% do feeds.append({
        'feed': 'overrides/mastery_overrides',
        'mart': ref('audit_override'),
        'staged': ref('stg_overrides__mastery_overrides'),
        'raw_tables': {'1': source('raw_overrides', 'mastery_overrides_1')},
    }) %}
    {% do return(feeds) %}
{% endmacro %}
