{#-
    Every staged feed: {'feed': its name, 'mart' and 'staged': relations, 'raw_tables': {layout version: relation},
    'columns': those staged, 'key': the mart's name of the key}. Columns come from the layouts, once these are seeded.
-#}
{% macro reconciled_feeds() %}
    {% set feeds = [] %}
    {% set layouts = staged_layouts() %}
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
            {% do raw_tables.update({version: source('raw_oneroster', name)}) %}
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
        'raw_tables': {'1': source('raw_overrides', 'mastery_overrides')},
    }) %}
    {% for feed in feeds %}
        {% set columns = reconciled_columns(feed, layouts) %}
        {% do feed.update({
            'columns': columns,
            'key': columns | selectattr('is_key') | map(attribute='name') | first,
        }) %}
    {% endfor %}
    {% do return(feeds) %}
{% endmacro %}

{#- The columns that the layouts stage, in the order of the layouts; none before the layouts are seeded. -#}
{% macro staged_layouts() %}
    {% set layouts, landed = ref('layouts'), source('landing', 'layout_columns') %}
    {% if not execute or not load_relation(layouts) %}{% do return([]) %}{% endif %}
    {% do return(run_query(
        'select layouts.feed, layouts.layout_version, layouts.column_name, landed.raw_column, layouts.data_type, '
        ~ "layouts.is_key, split_part(layouts.staged_as, '.', 2) as name from " ~ layouts.render() ~ ' as layouts '
        ~ 'inner join ' ~ landed.render() ~ ' as landed using (feed, layout_version, position) '
        ~ 'where layouts.staged_as is not null order by feed, layout_version, position'
    ).rows) %}
{% endmacro %}

{#- The columns of one feed: their names and type, whether the mart has them, and what each layout calls them. -#}
{% macro reconciled_columns(feed, layouts) %}
    {% set columns = {} %}
    {% for row in layouts if row.feed == feed.feed and row.layout_version in feed.raw_tables %}
        {% set in_mart = graph.nodes['model.rollcall.' ~ feed.mart.identifier].columns.get(row.name) %}
        {% set column = columns.setdefault(row.name, {
            'name': row.name,
            'type': row.data_type,
            'is_key': row.is_key,
            'is_in_mart': in_mart is not none,
            'is_filled': in_mart and in_mart.config.get('meta', {}).get('filled_where_blank', false),
            'source_columns': {},
            'raw_columns': {},
        }) %}
        {% do column.source_columns.update({row.layout_version: row.column_name}) %}
        {% do column.raw_columns.update({row.layout_version: row.raw_column}) %}
        {% if row.data_type == 'list' %}{% do column.update({'type': 'list'}) %}{% endif %}
    {% endfor %}
    {% do return(columns.values() | list) %}
{% endmacro %}

{#-
    The feeds with those raw tables only in which files have records: fewer to join, and fewer columns to carry along.
    All of them, until the table of files exists. `files`: a relation of files; `condition`: which of them count.
-#}
{% macro feeds_of_files(files, condition) %}
    {% set feeds = reconciled_feeds() %}
    {% if not execute or not load_relation(files) %}{% do return(feeds) %}{% endif %}
    {% set filled = run_query(
        'select distinct raw_table from ' ~ files.render() ~ ' where ' ~ condition ~ ' order by raw_table'
    ).columns['raw_table'].values() %}
    {% for feed in feeds %}
        {% set raw_tables = {} %}
        {% for version, table in feed.raw_tables.items() if table.schema ~ '.' ~ table.identifier in filled %}
            {% do raw_tables.update({version: table}) %}
        {% endfor %}
        {% set columns = [] %}
        {% for column in feed.columns if raw_tables.keys() | select('in', column.source_columns) | list %}
            {% do columns.append(column) %}
        {% endfor %}
        {% do feed.update({'raw_tables': raw_tables, 'columns': columns}) %}
    {% endfor %}
    {% do return(feeds) %}
{% endmacro %}
