{# Snowplow's atomic events. Properties are the fields of the self-describing event under their own names, the
   atomic fields below, and the fields of each context's first entity as vendor_name_1.field. Snowplow has no
   user properties. #}
{% macro snowplow_columns() %}
    {{ return([
        'event_id', 'user_id', 'domain_userid', 'network_userid', 'event_name', 'event',
        'derived_tstamp', 'collector_tstamp',
    ]) }}
{% endmacro %}

{% macro snowplow_more_columns() %}
    {%- set named = ['event_id', 'unstruct_event_.*', 'contexts_.*'] + snowplow_properties() -%}
    {{ return(named | join('|')) }}
{% endmacro %}

{% macro adapt_snowplow(rows) %}
    {{ return(canonical_rows(rows, {
        'event_id': 'event_id',
        'user_id': 'user_id',
        'device_id': 'coalesce(domain_userid, network_userid)',
        'event_name': 'coalesce(event_name, event)',
        'event_time': 'coalesce(derived_tstamp, collector_tstamp)',
        'received_at': 'collector_tstamp',
        'event_properties': json_merged([
            json_lifted('row_json', 'unstruct_event_'),
            json_picked('row_json', snowplow_properties()),
            json_lifted('row_json', 'contexts_', named=true),
        ]),
    })) }}
{% endmacro %}

{# The atomic fields that describe the event and its place, of some 130. #}
{% macro snowplow_properties() %}
    {{ return([
        'app_id', 'platform', 'page_urlhost', 'page_urlpath', 'page_title', 'refr_medium', 'refr_source',
        'mkt_medium', 'mkt_source', 'mkt_campaign', 'se_category', 'se_action', 'se_label',
        'se_property', 'se_value', 'tr_orderid', 'tr_total', 'tr_currency', 'ti_sku', 'ti_category',
        'ti_price', 'ti_quantity', 'geo_country', 'os_family', 'dvce_type',
    ]) }}
{% endmacro %}
