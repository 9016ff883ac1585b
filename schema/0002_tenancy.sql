-- Tenants, and what describes them: countries, time zones and currencies.

CREATE FUNCTION is_name(p_text text) RETURNS boolean
LANGUAGE sql IMMUTABLE PARALLEL SAFE
RETURN p_text IS NFC NORMALIZED AND p_text <> '' AND p_text !~ '^ |  | $'
AND p_text !~ '[\u00a0\u1680\u2000-\u200a\u202f\u205f\u3000]'
AND p_text !~ ('[\u0001-\u001f\u007f-\u009f\u00ad\u034f\u0600-\u0605\u061c\u06dd\u070f\u0890-\u0891\u08e2\u115f-\u1160'
|| '\u17b4-\u17b5\u180b-\u180f\u200b-\u200f\u2028-\u202e\u2060-\u206f\u2800\u3164\ue000-\uf8ff\ufe00-\ufe0f'
|| '\ufeff\uffa0\ufff0-\ufffb\U000110bd\U000110cd\U00013430-\U0001343f\U00016fe4\U0001bca0-\U0001bca3'
|| '\U0001d159\U0001d173-\U0001d17a\U000e0000-\U000e0fff\U000f0000-\U0010ffff]');
COMMENT ON FUNCTION is_name IS
'Whether a text is a name in normal form, so that two names that look alike are equal: NFC, no space at either end, no '
'two spaces in a row, no other white space, no invisible character. causeway.wire.names converts a name to this form.';

CREATE TABLE currencies (
    code text PRIMARY KEY CHECK (code ~ '^[A-Z]{3,5}$'),
    exponent smallint NOT NULL CHECK (exponent BETWEEN 0 AND 8)
);
COMMENT ON TABLE currencies IS
'The currencies that a wallet or a tenant can have. Money is stored in whole minor units.';
COMMENT ON COLUMN currencies.code IS 'The code by ISO 4217, or BTC.';
COMMENT ON COLUMN currencies.exponent IS
'The number of decimals of one unit, by ISO 4217: 2 for EUR. BTC is in satoshi: 8.';

INSERT INTO currencies (code, exponent)
SELECT c.code, e.exponent
FROM (VALUES
    (0, 'BIF CLP DJF GNF ISK JPY KMF KRW PYG RWF UGX VND VUV XAF XOF XPF'),
    (2, 'AED AFN ALL AMD ANG AOA ARS AUD AWG AZN BAM BBD BDT BGN BMD BND BOB BRL BSD BTN BWP BYN BZD CAD CDF CHF CNY'),
    (2, 'COP CRC CUP CVE CZK DKK DOP DZD EGP ERN ETB EUR FJD FKP GBP GEL GHS GIP GMD GTQ GYD HKD HNL HTG HUF IDR ILS'),
    (2, 'INR IRR JMD KES KGS KHR KPW KYD KZT LAK LBP LKR LRD LSL MAD MDL MGA MKD MMK MNT MOP MRU MUR MVR MWK MXN MYR'),
    (2, 'MZN NAD NGN NIO NOK NPR NZD PAB PEN PGK PHP PKR PLN QAR RON RSD RUB SAR SBD SCR SDG SEK SGD SHP SLE SOS SRD'),
    (2, 'SSP STN SVC SYP SZL THB TJS TMT TOP TRY TTD TWD TZS UAH USD UYU UZS VES WST XCD XCG YER ZAR ZMW'),
    (3, 'BHD IQD JOD KWD LYD OMR TND'),
    (8, 'BTC')
) AS e (exponent, codes)
CROSS JOIN LATERAL string_to_table(e.codes, ' ') AS c (code);

GRANT SELECT ON currencies TO causeway_ledger, causeway_casino, causeway_provider, causeway_auditor,
causeway_hub;

-- Not from Etc, because Etc/GMT+4 is four hours behind UTC. Not EST, GB or US/Eastern: old names of the same zones.
CREATE TABLE time_zones (name text PRIMARY KEY CHECK (length(name) BETWEEN 1 AND 64));
COMMENT ON TABLE time_zones IS
'Time zones that a tenant can have: names with an area from the IANA database, and UTC, in the exact spelling.';
COMMENT ON COLUMN time_zones.name IS 'The zone''s name: Asia/Dubai.';

CREATE FUNCTION add_time_zones() RETURNS void
LANGUAGE sql AS $$
    INSERT INTO time_zones (name)
    SELECT z.name FROM pg_timezone_names AS z
    WHERE z.name = 'UTC'
        OR z.name ~ '^(Africa|America|Antarctica|Arctic|Asia|Atlantic|Australia|Europe|Indian|Pacific)/'
    ON CONFLICT DO NOTHING
$$;
COMMENT ON FUNCTION add_time_zones IS
'Adds the time zones that this server knows. Every run of the migrations calls it: an updated server knows new names.';
REVOKE ALL ON FUNCTION add_time_zones FROM public;

DO $$ BEGIN PERFORM add_time_zones(); END $$;

GRANT SELECT ON time_zones TO causeway_hub;

-- NULL: the sources below name none, or several without a main one, so the tenant must send its own.
-- time_zone: the only zone of the country in IANA's zone.tab (2025b), or its main zone in CLDR's primaryZones
-- (https://github.com/unicode-org/cldr-json/blob/main/cldr-json/cldr-core/supplemental/primaryZones.json).
-- currency: the only legal tender today in CLDR's currencyData (as packaged in Babel 2.19).
CREATE TABLE countries (
    code text PRIMARY KEY CHECK (code ~ '^[A-Z]{2}$'),
    time_zone text,
    currency text REFERENCES currencies
);
COMMENT ON TABLE countries IS
'Countries, with the time zone and the currency of a new tenant that sends a country and neither of them.';
COMMENT ON COLUMN countries.code IS 'The code by ISO 3166-1 alpha-2.';
COMMENT ON COLUMN countries.time_zone IS
'The country''s main time zone. NULL: it has several, and the tenant must choose.';
COMMENT ON COLUMN countries.currency IS
'The country''s currency. NULL: it has several or none, and the tenant must choose.';

INSERT INTO countries (code, time_zone, currency)
VALUES
    ('AD', 'Europe/Andorra', 'EUR'), ('AE', 'Asia/Dubai', 'AED'), ('AF', 'Asia/Kabul', 'AFN'),
    ('AG', 'America/Antigua', 'XCD'), ('AI', 'America/Anguilla', 'XCD'), ('AL', 'Europe/Tirane', 'ALL'),
    ('AM', 'Asia/Yerevan', 'AMD'), ('AO', 'Africa/Luanda', 'AOA'), ('AQ', NULL, NULL), ('AR', NULL, 'ARS'),
    ('AS', 'Pacific/Pago_Pago', 'USD'), ('AT', 'Europe/Vienna', 'EUR'), ('AU', NULL, 'AUD'),
    ('AW', 'America/Aruba', 'AWG'), ('AX', 'Europe/Mariehamn', 'EUR'), ('AZ', 'Asia/Baku', 'AZN'),
    ('BA', 'Europe/Sarajevo', 'BAM'), ('BB', 'America/Barbados', 'BBD'), ('BD', 'Asia/Dhaka', 'BDT'),
    ('BE', 'Europe/Brussels', 'EUR'), ('BF', 'Africa/Ouagadougou', 'XOF'), ('BG', 'Europe/Sofia', 'EUR'),
    ('BH', 'Asia/Bahrain', 'BHD'), ('BI', 'Africa/Bujumbura', 'BIF'), ('BJ', 'Africa/Porto-Novo', 'XOF'),
    ('BL', 'America/St_Barthelemy', 'EUR'), ('BM', 'Atlantic/Bermuda', 'BMD'), ('BN', 'Asia/Brunei', 'BND'),
    ('BO', 'America/La_Paz', 'BOB'), ('BQ', 'America/Kralendijk', 'USD'), ('BR', NULL, 'BRL'),
    ('BS', 'America/Nassau', 'BSD'), ('BT', 'Asia/Thimphu', NULL), ('BV', NULL, 'NOK'),
    ('BW', 'Africa/Gaborone', 'BWP'), ('BY', 'Europe/Minsk', 'BYN'), ('BZ', 'America/Belize', 'BZD'),
    ('CA', NULL, 'CAD'), ('CC', 'Indian/Cocos', 'AUD'), ('CD', NULL, 'CDF'), ('CF', 'Africa/Bangui', 'XAF'),
    ('CG', 'Africa/Brazzaville', 'XAF'), ('CH', 'Europe/Zurich', 'CHF'), ('CI', 'Africa/Abidjan', 'XOF'),
    ('CK', 'Pacific/Rarotonga', 'NZD'), ('CL', 'America/Santiago', 'CLP'), ('CM', 'Africa/Douala', 'XAF'),
    ('CN', 'Asia/Shanghai', 'CNY'), ('CO', 'America/Bogota', 'COP'), ('CR', 'America/Costa_Rica', 'CRC'),
    ('CU', 'America/Havana', 'CUP'), ('CV', 'Atlantic/Cape_Verde', 'CVE'), ('CW', 'America/Curacao', 'XCG'),
    ('CX', 'Indian/Christmas', 'AUD'), ('CY', NULL, 'EUR'), ('CZ', 'Europe/Prague', 'CZK'),
    ('DE', 'Europe/Berlin', 'EUR'), ('DJ', 'Africa/Djibouti', 'DJF'), ('DK', 'Europe/Copenhagen', 'DKK'),
    ('DM', 'America/Dominica', 'XCD'), ('DO', 'America/Santo_Domingo', 'DOP'), ('DZ', 'Africa/Algiers', 'DZD'),
    ('EC', 'America/Guayaquil', 'USD'), ('EE', 'Europe/Tallinn', 'EUR'), ('EG', 'Africa/Cairo', 'EGP'),
    ('EH', 'Africa/El_Aaiun', 'MAD'), ('ER', 'Africa/Asmara', 'ERN'), ('ES', 'Europe/Madrid', 'EUR'),
    ('ET', 'Africa/Addis_Ababa', 'ETB'), ('FI', 'Europe/Helsinki', 'EUR'), ('FJ', 'Pacific/Fiji', 'FJD'),
    ('FK', 'Atlantic/Stanley', 'FKP'), ('FM', NULL, 'USD'), ('FO', 'Atlantic/Faroe', 'DKK'),
    ('FR', 'Europe/Paris', 'EUR'), ('GA', 'Africa/Libreville', 'XAF'), ('GB', 'Europe/London', 'GBP'),
    ('GD', 'America/Grenada', 'XCD'), ('GE', 'Asia/Tbilisi', 'GEL'), ('GF', 'America/Cayenne', 'EUR'),
    ('GG', 'Europe/Guernsey', 'GBP'), ('GH', 'Africa/Accra', 'GHS'), ('GI', 'Europe/Gibraltar', 'GIP'),
    ('GL', NULL, 'DKK'), ('GM', 'Africa/Banjul', 'GMD'), ('GN', 'Africa/Conakry', 'GNF'),
    ('GP', 'America/Guadeloupe', 'EUR'), ('GQ', 'Africa/Malabo', 'XAF'), ('GR', 'Europe/Athens', 'EUR'),
    ('GS', 'Atlantic/South_Georgia', 'GBP'), ('GT', 'America/Guatemala', 'GTQ'), ('GU', 'Pacific/Guam', 'USD'),
    ('GW', 'Africa/Bissau', 'XOF'), ('GY', 'America/Guyana', 'GYD'), ('HK', 'Asia/Hong_Kong', 'HKD'),
    ('HM', NULL, 'AUD'), ('HN', 'America/Tegucigalpa', 'HNL'), ('HR', 'Europe/Zagreb', 'EUR'),
    ('HT', 'America/Port-au-Prince', NULL), ('HU', 'Europe/Budapest', 'HUF'), ('ID', NULL, 'IDR'),
    ('IE', 'Europe/Dublin', 'EUR'), ('IL', 'Asia/Jerusalem', 'ILS'), ('IM', 'Europe/Isle_of_Man', 'GBP'),
    ('IN', 'Asia/Kolkata', 'INR'), ('IO', 'Indian/Chagos', 'USD'), ('IQ', 'Asia/Baghdad', 'IQD'),
    ('IR', 'Asia/Tehran', 'IRR'), ('IS', 'Atlantic/Reykjavik', 'ISK'), ('IT', 'Europe/Rome', 'EUR'),
    ('JE', 'Europe/Jersey', 'GBP'), ('JM', 'America/Jamaica', 'JMD'), ('JO', 'Asia/Amman', 'JOD'),
    ('JP', 'Asia/Tokyo', 'JPY'), ('KE', 'Africa/Nairobi', 'KES'), ('KG', 'Asia/Bishkek', 'KGS'),
    ('KH', 'Asia/Phnom_Penh', 'KHR'), ('KI', NULL, 'AUD'), ('KM', 'Indian/Comoro', 'KMF'),
    ('KN', 'America/St_Kitts', 'XCD'), ('KP', 'Asia/Pyongyang', 'KPW'), ('KR', 'Asia/Seoul', 'KRW'),
    ('KW', 'Asia/Kuwait', 'KWD'), ('KY', 'America/Cayman', 'KYD'), ('KZ', NULL, 'KZT'),
    ('LA', 'Asia/Vientiane', 'LAK'), ('LB', 'Asia/Beirut', 'LBP'), ('LC', 'America/St_Lucia', 'XCD'),
    ('LI', 'Europe/Vaduz', 'CHF'), ('LK', 'Asia/Colombo', 'LKR'), ('LR', 'Africa/Monrovia', 'LRD'),
    ('LS', 'Africa/Maseru', NULL), ('LT', 'Europe/Vilnius', 'EUR'), ('LU', 'Europe/Luxembourg', 'EUR'),
    ('LV', 'Europe/Riga', 'EUR'), ('LY', 'Africa/Tripoli', 'LYD'), ('MA', 'Africa/Casablanca', 'MAD'),
    ('MC', 'Europe/Monaco', 'EUR'), ('MD', 'Europe/Chisinau', 'MDL'), ('ME', 'Europe/Podgorica', 'EUR'),
    ('MF', 'America/Marigot', 'EUR'), ('MG', 'Indian/Antananarivo', 'MGA'), ('MH', 'Pacific/Majuro', 'USD'),
    ('MK', 'Europe/Skopje', 'MKD'), ('ML', 'Africa/Bamako', 'XOF'), ('MM', 'Asia/Yangon', 'MMK'), ('MN', NULL, 'MNT'),
    ('MO', 'Asia/Macau', 'MOP'), ('MP', 'Pacific/Saipan', 'USD'), ('MQ', 'America/Martinique', 'EUR'),
    ('MR', 'Africa/Nouakchott', 'MRU'), ('MS', 'America/Montserrat', 'XCD'), ('MT', 'Europe/Malta', 'EUR'),
    ('MU', 'Indian/Mauritius', 'MUR'), ('MV', 'Indian/Maldives', 'MVR'), ('MW', 'Africa/Blantyre', 'MWK'),
    ('MX', NULL, 'MXN'), ('MY', 'Asia/Kuala_Lumpur', 'MYR'), ('MZ', 'Africa/Maputo', 'MZN'),
    ('NA', 'Africa/Windhoek', NULL), ('NC', 'Pacific/Noumea', 'XPF'), ('NE', 'Africa/Niamey', 'XOF'),
    ('NF', 'Pacific/Norfolk', 'AUD'), ('NG', 'Africa/Lagos', 'NGN'), ('NI', 'America/Managua', 'NIO'),
    ('NL', 'Europe/Amsterdam', 'EUR'), ('NO', 'Europe/Oslo', 'NOK'), ('NP', 'Asia/Kathmandu', 'NPR'),
    ('NR', 'Pacific/Nauru', 'AUD'), ('NU', 'Pacific/Niue', 'NZD'), ('NZ', 'Pacific/Auckland', 'NZD'),
    ('OM', 'Asia/Muscat', 'OMR'), ('PA', 'America/Panama', NULL), ('PE', 'America/Lima', 'PEN'), ('PF', NULL, 'XPF'),
    ('PG', NULL, 'PGK'), ('PH', 'Asia/Manila', 'PHP'), ('PK', 'Asia/Karachi', 'PKR'), ('PL', 'Europe/Warsaw', 'PLN'),
    ('PM', 'America/Miquelon', 'EUR'), ('PN', 'Pacific/Pitcairn', 'NZD'), ('PR', 'America/Puerto_Rico', 'USD'),
    ('PS', NULL, NULL), ('PT', 'Europe/Lisbon', 'EUR'), ('PW', 'Pacific/Palau', 'USD'),
    ('PY', 'America/Asuncion', 'PYG'), ('QA', 'Asia/Qatar', 'QAR'), ('RE', 'Indian/Reunion', 'EUR'),
    ('RO', 'Europe/Bucharest', 'RON'), ('RS', 'Europe/Belgrade', 'RSD'), ('RU', NULL, 'RUB'),
    ('RW', 'Africa/Kigali', 'RWF'), ('SA', 'Asia/Riyadh', 'SAR'), ('SB', 'Pacific/Guadalcanal', 'SBD'),
    ('SC', 'Indian/Mahe', 'SCR'), ('SD', 'Africa/Khartoum', 'SDG'), ('SE', 'Europe/Stockholm', 'SEK'),
    ('SG', 'Asia/Singapore', 'SGD'), ('SH', 'Atlantic/St_Helena', 'SHP'), ('SI', 'Europe/Ljubljana', 'EUR'),
    ('SJ', 'Arctic/Longyearbyen', 'NOK'), ('SK', 'Europe/Bratislava', 'EUR'), ('SL', 'Africa/Freetown', 'SLE'),
    ('SM', 'Europe/San_Marino', 'EUR'), ('SN', 'Africa/Dakar', 'XOF'), ('SO', 'Africa/Mogadishu', 'SOS'),
    ('SR', 'America/Paramaribo', 'SRD'), ('SS', 'Africa/Juba', 'SSP'), ('ST', 'Africa/Sao_Tome', 'STN'),
    ('SV', 'America/El_Salvador', 'USD'), ('SX', 'America/Lower_Princes', 'XCG'), ('SY', 'Asia/Damascus', 'SYP'),
    ('SZ', 'Africa/Mbabane', 'SZL'), ('TC', 'America/Grand_Turk', 'USD'), ('TD', 'Africa/Ndjamena', 'XAF'),
    ('TF', 'Indian/Kerguelen', 'EUR'), ('TG', 'Africa/Lome', 'XOF'), ('TH', 'Asia/Bangkok', 'THB'),
    ('TJ', 'Asia/Dushanbe', 'TJS'), ('TK', 'Pacific/Fakaofo', 'NZD'), ('TL', 'Asia/Dili', 'USD'),
    ('TM', 'Asia/Ashgabat', 'TMT'), ('TN', 'Africa/Tunis', 'TND'), ('TO', 'Pacific/Tongatapu', 'TOP'),
    ('TR', 'Europe/Istanbul', 'TRY'), ('TT', 'America/Port_of_Spain', 'TTD'), ('TV', 'Pacific/Funafuti', 'AUD'),
    ('TW', 'Asia/Taipei', 'TWD'), ('TZ', 'Africa/Dar_es_Salaam', 'TZS'), ('UA', 'Europe/Kyiv', 'UAH'),
    ('UG', 'Africa/Kampala', 'UGX'), ('UM', NULL, 'USD'), ('US', NULL, 'USD'), ('UY', 'America/Montevideo', 'UYU'),
    ('UZ', 'Asia/Tashkent', 'UZS'), ('VA', 'Europe/Vatican', 'EUR'), ('VC', 'America/St_Vincent', 'XCD'),
    ('VE', 'America/Caracas', 'VES'), ('VG', 'America/Tortola', 'USD'), ('VI', 'America/St_Thomas', 'USD'),
    ('VN', 'Asia/Ho_Chi_Minh', 'VND'), ('VU', 'Pacific/Efate', 'VUV'), ('WF', 'Pacific/Wallis', 'XPF'),
    ('WS', 'Pacific/Apia', 'WST'), ('YE', 'Asia/Aden', 'YER'), ('YT', 'Indian/Mayotte', 'EUR'),
    ('ZA', 'Africa/Johannesburg', 'ZAR'), ('ZM', 'Africa/Lusaka', 'ZMW'), ('ZW', 'Africa/Harare', NULL);

-- The foreign key comes last, so that a server with old time zones is refused with the reason.
DO $$
DECLARE
    v_missing text;
BEGIN
    SELECT string_agg(c.time_zone, ', ' ORDER BY c.time_zone) INTO v_missing
    FROM countries AS c
    WHERE NOT EXISTS (SELECT FROM time_zones AS z WHERE z.name = c.time_zone) AND c.time_zone IS NOT NULL;
    IF v_missing IS NOT NULL THEN
        RAISE EXCEPTION 'This Postgres server does not know the time zones of some countries (%): its time zone data is too '
            'old. Update the server, or the tzdata of its system where it uses that, and migrate again', v_missing
            USING ERRCODE = 'feature_not_supported';
    END IF;
END $$;
ALTER TABLE countries ADD FOREIGN KEY (time_zone) REFERENCES time_zones;

GRANT SELECT ON countries TO causeway_hub;

CREATE TABLE tenants (
    tenant_id uuid PRIMARY KEY DEFAULT gen_random_uuid(),
    code text NOT NULL UNIQUE CHECK (code ~ '^[A-Z0-9_]{1,64}$'),
    display_name text NOT NULL CHECK (length(display_name) BETWEEN 1 AND 200 AND is_name(display_name)),
    country text REFERENCES countries,
    time_zone text NOT NULL DEFAULT 'UTC' REFERENCES time_zones,
    currency text NOT NULL DEFAULT 'USD' REFERENCES currencies,
    language text NOT NULL DEFAULT 'en' CHECK (language IN ('en', 'ar')),
    version bigint NOT NULL DEFAULT 1 CHECK (version > 0),
    created_at timestamptz NOT NULL DEFAULT now(),
    CONSTRAINT tenants_not_the_deployment CHECK (tenant_id <> '00000000-0000-0000-0000-000000000000')
);
COMMENT ON TABLE tenants IS 'The tenants: casinos, merchants, agencies. All rows of a tenant have its id.';
COMMENT ON COLUMN tenants.code IS 'Game providers know the casino by this code (casinoCode), so it never changes.';
COMMENT ON COLUMN tenants.country IS 'Where the tenant is. NULL: not known.';
COMMENT ON COLUMN tenants.time_zone IS
'Pages and reports show times in this zone; the database stores and the API answers UTC.';
COMMENT ON COLUMN tenants.currency IS
'For reports and as a first choice in forms. A player''s wallet has its own currency, whatever the tenant''s is.';
COMMENT ON COLUMN tenants.language IS 'The language that people of the tenant are addressed in, by BCP 47.';
COMMENT ON COLUMN tenants.version IS 'The number of changes: the ETag.';
COMMENT ON CONSTRAINT tenants_code_key ON tenants IS 'Two tenants have different codes.';
COMMENT ON CONSTRAINT tenants_not_the_deployment ON tenants IS
'No tenant has the id of the deployment''s chain in the audit log.';

ALTER TABLE tenants ENABLE ROW LEVEL SECURITY;
ALTER TABLE tenants FORCE ROW LEVEL SECURITY;
CREATE POLICY tenants_own ON tenants FOR SELECT TO causeway_casino, causeway_provider
USING (tenant_id = current_tenant());
CREATE POLICY tenants_hub ON tenants FOR SELECT TO causeway_hub USING (tenant_id = current_tenant());
CREATE POLICY tenants_audit ON tenants FOR SELECT TO causeway_auditor USING (true);
CREATE POLICY tenants_deployment_list ON tenants FOR SELECT TO causeway_hub
USING (current_caller_role() = 'super_admin' AND current_tenant() = '00000000-0000-0000-0000-000000000000');
COMMENT ON POLICY tenants_deployment_list ON tenants IS
'Only a super admin sees all tenants, and only in a transaction of the deployment, whose tenant is the nil UUID. In a '
'transaction of a tenant, a super admin sees that tenant only.';
CREATE POLICY tenants_deployment_add ON tenants FOR INSERT TO causeway_hub
WITH CHECK (current_caller_role() = 'super_admin' AND current_tenant() = '00000000-0000-0000-0000-000000000000');
COMMENT ON POLICY tenants_deployment_add ON tenants IS 'Only a super admin creates a tenant.';
CREATE POLICY tenants_deployment_change ON tenants FOR UPDATE TO causeway_hub
USING (current_caller_role() = 'super_admin' AND current_tenant() = '00000000-0000-0000-0000-000000000000')
WITH CHECK (current_caller_role() = 'super_admin' AND current_tenant() = '00000000-0000-0000-0000-000000000000');
COMMENT ON POLICY tenants_deployment_change ON tenants IS 'Only a super admin changes a tenant.';

GRANT SELECT ON tenants TO causeway_casino, causeway_provider, causeway_auditor, causeway_hub;
-- The database generates ids. The code has no UPDATE grant: it stays, because game providers know it.
GRANT INSERT (code, display_name, country, time_zone, currency, language) ON tenants TO causeway_hub;
GRANT UPDATE (display_name, country, time_zone, currency, language, version) ON tenants TO causeway_hub;
