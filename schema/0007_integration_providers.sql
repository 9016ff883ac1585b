-- The catalogue of providers.

CREATE TABLE integration_providers (
    provider_key text PRIMARY KEY COLLATE "C" CHECK (provider_key ~ '^[a-z][a-z0-9_]{0,63}$'),
    kind text NOT NULL CHECK (kind ~ '^[a-z_]{1,32}$'),
    display_name text NOT NULL CHECK (length(display_name) BETWEEN 1 AND 100 AND is_name(display_name)),
    description text NOT NULL CHECK (length(description) BETWEEN 1 AND 500),
    icon text CHECK (icon ~ '^[MmLlHhVvCcSsQqTtAaZz0-9 .,-]+$' AND length(icon) <= 2000),
    config_schema jsonb NOT NULL CHECK (config_schema ->> 'type' IS NOT DISTINCT FROM 'object'),
    setup_instructions text NOT NULL CHECK (length(setup_instructions) <= 8000),
    documentation_url text CHECK (documentation_url ~ '^https://[!-~]+$' AND length(documentation_url) <= 508),
    base_urls jsonb NOT NULL CHECK (jsonb_typeof(base_urls) = 'object'),
    api_version text CHECK (length(api_version) BETWEEN 1 AND 50),
    webhook_support boolean NOT NULL,
    webhook_url text CHECK (webhook_url ~ '^(https://|/)[0-9A-Za-z][!-~]*$' AND length(webhook_url) <= 500),
    rate_limits jsonb NOT NULL CHECK (jsonb_typeof(rate_limits) = 'object'),
    authentication jsonb NOT NULL CHECK (jsonb_typeof(authentication) = 'object'),
    health_call jsonb NOT NULL CHECK (jsonb_typeof(health_call) = 'object'),
    oauth jsonb CHECK (jsonb_typeof(oauth) = 'object'),
    is_active boolean NOT NULL DEFAULT true,
    changed_by_admin boolean NOT NULL DEFAULT false,
    version bigint NOT NULL DEFAULT 1 CHECK (version > 0),
    created_by text CHECK (length(created_by) BETWEEN 1 AND 255),
    created_at timestamptz NOT NULL DEFAULT now(),
    updated_at timestamptz NOT NULL DEFAULT now()
);
COMMENT ON TABLE integration_providers IS
'The catalogue of providers: the platforms that a tenant can connect to. It belongs to no tenant. After the migrations '
'it is loaded from the files in schema/catalogue/; a super admin may add and change providers.';
COMMENT ON COLUMN integration_providers.provider_key IS
'The provider''s name in code, files and URLs. In the API, templateId.';
COMMENT ON COLUMN integration_providers.kind IS 'What the platform is for: messaging, payment, shipping.';
COMMENT ON COLUMN integration_providers.description IS 'What the platform does, in a sentence or two.';
COMMENT ON COLUMN integration_providers.icon IS
'The data of an SVG path in a view box of 24 by 24. Only drawing commands and numbers: no markup is possible.';
COMMENT ON COLUMN integration_providers.config_schema IS
'JSON Schema (2020-12) of a connection''s configuration. x-secret marks fields that are stored encrypted.';
COMMENT ON COLUMN integration_providers.setup_instructions IS 'How to get credentials from the platform, in Markdown.';
COMMENT ON COLUMN integration_providers.documentation_url IS 'The platform''s own documentation.';
COMMENT ON COLUMN integration_providers.base_urls IS
'The platform''s addresses by environment (production, sandbox). JSON null: the connection''s own base_url is used.';
COMMENT ON COLUMN integration_providers.api_version IS 'The version of the platform''s API that is called.';
COMMENT ON COLUMN integration_providers.webhook_support IS 'Whether the platform can send webhooks.';
COMMENT ON COLUMN integration_providers.webhook_url IS
'Where the platform is told to send its events: an https URL, or a path of this deployment. NULL: no default.';
COMMENT ON COLUMN integration_providers.rate_limits IS
'Requests that one connection may make, by window. Empty: not known.';
COMMENT ON COLUMN integration_providers.authentication IS 'How each call to the platform is authenticated.';
COMMENT ON COLUMN integration_providers.health_call IS 'The cheapest call that shows that the credentials are valid.';
COMMENT ON COLUMN integration_providers.oauth IS
'How a person authorizes a connection, and the fields of its configuration that this fills. NULL: not by OAuth.';
COMMENT ON COLUMN integration_providers.is_active IS 'New connections can be made to active providers only.';
COMMENT ON COLUMN integration_providers.changed_by_admin IS
'Whether a super admin has changed the row: a new release''s file then does not overwrite it.';
COMMENT ON COLUMN integration_providers.version IS
'The number of changes. A change must name the version it was made from.';
COMMENT ON COLUMN integration_providers.created_by IS
'The subject of the super admin who added the row. NULL: a file of the release.';
COMMENT ON COLUMN integration_providers.updated_at IS
'When the row was last changed. A new release moves it only where the release''s file differs from the row.';

ALTER TABLE integration_providers ENABLE ROW LEVEL SECURITY;
ALTER TABLE integration_providers FORCE ROW LEVEL SECURITY;

-- There is no DELETE: connections refer to their provider, so a provider is deactivated instead.
CREATE POLICY integration_providers_read ON integration_providers FOR SELECT TO causeway_hub USING (true);
COMMENT ON POLICY integration_providers_read ON integration_providers IS 'All callers of the hub read the catalogue.';
CREATE POLICY integration_providers_add ON integration_providers FOR INSERT TO causeway_hub
WITH CHECK (current_caller_role() = 'super_admin');
COMMENT ON POLICY integration_providers_add ON integration_providers IS 'Only a super admin adds a provider.';
CREATE POLICY integration_providers_change ON integration_providers FOR UPDATE TO causeway_hub
USING (current_caller_role() = 'super_admin')
WITH CHECK (current_caller_role() = 'super_admin');
COMMENT ON POLICY integration_providers_change ON integration_providers IS 'Only a super admin changes a provider.';

GRANT SELECT, INSERT ON integration_providers TO causeway_hub;
GRANT UPDATE (
    kind, display_name, description, icon, config_schema, setup_instructions, documentation_url, base_urls, api_version,
    webhook_support, webhook_url, rate_limits, authentication, health_call, oauth, is_active, changed_by_admin, version,
    updated_at
) ON integration_providers TO causeway_hub;
