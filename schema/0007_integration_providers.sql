-- The catalogue of providers: the platforms that a tenant can connect to. It belongs to no tenant. After the migrations
-- it is loaded from the files in schema/catalogue/; a super admin may add and change providers.

DO $$
BEGIN
    IF NOT EXISTS (SELECT FROM pg_roles WHERE rolname = 'causeway_hub') THEN
        CREATE ROLE causeway_hub LOGIN;
    END IF;
    -- The owner loads the files. It is bound by the policies below, and needs the role to pass them.
    EXECUTE format('GRANT causeway_hub TO %I', current_user);
END $$;

GRANT USAGE ON SCHEMA public TO causeway_hub;

CREATE TABLE integration_providers (
    provider_key text PRIMARY KEY COLLATE "C" CHECK (provider_key ~ '^[a-z][a-z0-9_]{0,63}$'),
    kind text NOT NULL CHECK (kind ~ '^[a-z_]{1,32}$'),
    display_name text NOT NULL CHECK (length(display_name) BETWEEN 1 AND 100 AND is_name(display_name)),
    description text NOT NULL,
    -- The data of an SVG path in a view box of 24 by 24. Only drawing commands and numbers: no markup is possible.
    icon text CHECK (icon ~ '^[MmLlHhVvCcSsQqTtAaZz0-9 .,-]+$' AND length(icon) <= 2000),
    -- JSON Schema (2020-12) of a connection's configuration. x-secret marks fields that are stored encrypted.
    config_schema jsonb NOT NULL CHECK (config_schema ->> 'type' = 'object'),
    -- Markdown.
    setup_instructions text NOT NULL,
    documentation_url text,
    -- By environment (production, sandbox). JSON null: the connection's own base_url is used.
    base_urls jsonb NOT NULL CHECK (jsonb_typeof(base_urls) = 'object'),
    api_version text,
    webhook_support boolean NOT NULL,
    -- Where the platform is told to send its events: an https URL, or a path of this deployment. Null: no default.
    webhook_url text CHECK (webhook_url ~ '^(https://|/)[0-9A-Za-z][!-~]*$' AND length(webhook_url) <= 500),
    -- Requests that one connection may make, by window. Empty: not known.
    rate_limits jsonb NOT NULL CHECK (jsonb_typeof(rate_limits) = 'object'),
    -- How each call to the platform is authenticated.
    authentication jsonb NOT NULL CHECK (jsonb_typeof(authentication) = 'object'),
    -- The cheapest call that shows that the credentials are valid.
    health_call jsonb NOT NULL CHECK (jsonb_typeof(health_call) = 'object'),
    -- New connections can be made to active providers only.
    is_active boolean NOT NULL DEFAULT true,
    -- Set when a super admin changed the row: a new release's file then does not overwrite it.
    changed_by_admin boolean NOT NULL DEFAULT false,
    -- The number of changes. A change must name the version it was made from.
    version bigint NOT NULL DEFAULT 1 CHECK (version > 0),
    -- The subject of the super admin who added the row. Null: a file of the release.
    created_by text CHECK (length(created_by) BETWEEN 1 AND 255),
    created_at timestamptz NOT NULL DEFAULT now(),
    -- A new release moves it only where the release's file differs from the row.
    updated_at timestamptz NOT NULL DEFAULT now()
);

ALTER TABLE integration_providers ENABLE ROW LEVEL SECURITY;
ALTER TABLE integration_providers FORCE ROW LEVEL SECURITY;

-- Everybody reads the catalogue, only a super admin writes it. Nobody deletes: connections refer to their provider, so
-- a provider is deactivated instead.
CREATE POLICY integration_providers_read ON integration_providers FOR SELECT TO causeway_hub USING (true);
CREATE POLICY integration_providers_add ON integration_providers FOR INSERT TO causeway_hub
WITH CHECK (current_setting('causeway.role', true) = 'super_admin');
CREATE POLICY integration_providers_change ON integration_providers FOR UPDATE TO causeway_hub
USING (current_setting('causeway.role', true) = 'super_admin')
WITH CHECK (current_setting('causeway.role', true) = 'super_admin');

GRANT SELECT, INSERT ON integration_providers TO causeway_hub;
GRANT UPDATE (
    kind, display_name, description, icon, config_schema, setup_instructions, documentation_url, base_urls, api_version,
    webhook_support, webhook_url, rate_limits, authentication, health_call, is_active, changed_by_admin, version,
    updated_at
) ON integration_providers TO causeway_hub;
