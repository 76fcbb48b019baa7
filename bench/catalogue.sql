-- The catalogue that is measured: bench.products products of three variants each in 200 categories, with pictures,
-- stock and reviews. The same number gives the same rows; only their dates are relative to now.
-- The texts are those of the demo shop's products, shuffled, so that words are as frequent as in a language; those
-- products go. Ids count, as UUIDv7s do, and begin with a digit for their kind: pgbench can name a row by its number.

CREATE SCHEMA bench;

CREATE FUNCTION bench.id(kind int, n bigint) RETURNS uuid LANGUAGE sql IMMUTABLE
RETURN ('019a0000-000' || kind || '-7000-8000-' || lpad(to_hex(n), 12, '0'))::uuid;

-- What a line of the n-th cart holds, of so many SKUs (bench/carts.py).
CREATE FUNCTION bench.sku_in_cart(n bigint, line int, skus bigint) RETURNS uuid LANGUAGE sql IMMUTABLE
RETURN bench.id(3, 1 + 3 * ((7919 * n + line) % skus));

-- A number below `choices` that looks random, another for each purpose.
CREATE FUNCTION pg_temp.draw(n bigint, purpose int, choices bigint) RETURNS bigint LANGUAGE sql IMMUTABLE
RETURN (hashint8extended(n, purpose) & 2147483647) % choices;

CREATE FUNCTION pg_temp.pick(words text, n bigint, purpose int) RETURNS text LANGUAGE sql IMMUTABLE
RETURN split_part(words, ' ', 1 + pg_temp.draw(n, purpose, 1 + regexp_count(words, ' '))::int);


-- A large import: what triggers and indexes would do row by row is done once, at the end.

SELECT set_config('app.listings', 'later', true);

CREATE TEMP TABLE put_off AS
SELECT format('%I', index.relname) AS name, pg_get_indexdef(index.oid) AS definition
FROM pg_index
JOIN pg_class AS index ON index.oid = indexrelid
JOIN pg_class AS of_table ON of_table.oid = indrelid
WHERE of_table.relname IN ('listings', 'product_media', 'products', 'reviews', 'stock_movements', 'variants')
  AND NOT EXISTS (SELECT FROM pg_constraint WHERE conindid = indexrelid);

DO $$
BEGIN
    EXECUTE (SELECT 'DROP INDEX ' || string_agg(name, ', ') FROM put_off);
END $$;


-- Texts

CREATE TEMP TABLE things AS
SELECT row_number() OVER (ORDER BY slug) - 1 AS n, lower(left(name, 1)) || substr(name, 2) AS name, summary, attributes
FROM products;

CREATE TEMP TABLE sentences AS
SELECT row_number() OVER (ORDER BY slug, place) - 1 AS n, sentence
FROM products, regexp_split_to_table(description, '(?<=[.!?])\s+') WITH ORDINALITY AS cut (sentence, place);

TRUNCATE products, categories CASCADE;


-- Categories: 20 with 9 below each

INSERT INTO categories (id, parent_id, slug, name, path, position)
SELECT bench.id(1, n), NULL, 'department-' || n, 'Department ' || n, 'department-' || n, n
FROM generate_series(1, 20) AS n;

INSERT INTO categories (id, parent_id, slug, name, path, position)
SELECT bench.id(1, 20 + n), parent.id, 'aisle-' || n, 'Aisle ' || n, parent.path || '/aisle-' || n, n
FROM generate_series(1, 180) AS n JOIN categories AS parent ON parent.id = bench.id(1, (n - 1) / 9 + 1);


-- Products

CREATE TEMP TABLE drawn AS
SELECT numbers.n,
       concat_ws(
           ' ',
           pg_temp.pick(
               'Autumn Bright Calm Clear Dawn Deep Early Evening Faded Garden Golden Harbour High Hollow Island Late '
               'Little Long Lunar Meadow Misty Morning Northern Old Orchard Pale Quiet River Rustic Silver Slow '
               'Southern Still Summer Tidal Valley Velvet Wild Willow Winter', numbers.n, 1
           ),
           material,
           thing.name
       ) AS name,
       other.summary,
       concat_ws(' ', first.sentence, second.sentence, third.sentence, fourth.sentence) AS description,
       thing.attributes || jsonb_build_object('color', color, 'material', material) AS attributes,
       500 + 100 * pg_temp.draw(numbers.n, 4, 200) AS price,
       now() - (current_setting('bench.products')::int - numbers.n) * interval '1 minute' AS at
FROM generate_series(1, current_setting('bench.products')::bigint) AS numbers (n)
CROSS JOIN (SELECT count(*) AS number FROM things) AS all_things
CROSS JOIN (SELECT count(*) AS number FROM sentences) AS all_sentences
CROSS JOIN LATERAL pg_temp.pick('aluminium bamboo beech ceramic cork cotton glass linen oak steel', numbers.n, 2) AS material
CROSS JOIN LATERAL pg_temp.pick('amber black blue brown coral green grey ivory red white', numbers.n, 3) AS color
JOIN things AS thing ON thing.n = pg_temp.draw(numbers.n, 5, all_things.number)
JOIN things AS other ON other.n = pg_temp.draw(numbers.n, 6, all_things.number)
JOIN sentences AS first ON first.n = pg_temp.draw(numbers.n, 11, all_sentences.number)
JOIN sentences AS second ON second.n = pg_temp.draw(numbers.n, 12, all_sentences.number)
JOIN sentences AS third ON third.n = pg_temp.draw(numbers.n, 13, all_sentences.number)
JOIN sentences AS fourth ON fourth.n = pg_temp.draw(numbers.n, 14, all_sentences.number);

ANALYZE drawn;

INSERT INTO products (
    id, slug, name, summary, description, status, attributes, options, published_at, created_at, updated_at
)
SELECT bench.id(2, n), trim('-' FROM regexp_replace(lower(name), '[^a-z0-9]+', '-', 'g')) || '-' || n, name, summary,
       description, 'active', attributes, '[{"name": "Size", "values": ["S", "M", "L"]}]', at, at, at
FROM drawn ORDER BY n;

INSERT INTO product_categories (product_id, category_id)
SELECT bench.id(2, n), bench.id(1, 21 + pg_temp.draw(n, 7, 180)) FROM drawn;

-- Up to three pictures each, in their own size and three smaller ones.
INSERT INTO product_media (id, product_id, key, width, height, renditions, alt, position)
SELECT bench.id(4, 3 * n + place), bench.id(2, n), 'pictures/' || digest || '.webp', 1600, 1600,
       jsonb_build_array(
           jsonb_build_object('key', 'pictures/' || digest || '-200.webp', 'width', 200, 'height', 200),
           jsonb_build_object('key', 'pictures/' || digest || '-400.webp', 'width', 400, 'height', 400),
           jsonb_build_object('key', 'pictures/' || digest || '-800.webp', 'width', 800, 'height', 800)
       ), name, place
FROM drawn, generate_series(0, pg_temp.draw(n, 8, 3)) AS place, md5(n || '-' || place) AS digest;


-- Variants: number 3n of the n-th product, and the two before it

INSERT INTO variants (
    id, product_id, sku, option_values, option_key, price_amount, compare_at_amount, currency, weight_g, created_at,
    updated_at
)
SELECT bench.id(3, 3 * n - 3 + size), bench.id(2, n), 'BENCH-' || n || '-' || letter,
       jsonb_build_object('Size', letter), '{"Size":"' || letter || '"}', price + 200 * size,
       CASE WHEN n % 5 = 0 THEN price + 200 * size + 1000 END, 'EUR', 100 * size, at, at
FROM drawn, unnest(ARRAY['S', 'M', 'L']) WITH ORDINALITY AS sizes (letter, size)
ORDER BY n, size;

-- The largest size of every twentieth product is sold out, and nothing else ever runs out.
INSERT INTO stock_levels (variant_id, on_hand)
SELECT bench.id(3, n), CASE WHEN n % 60 = 0 THEN 0 ELSE 1000000 END
FROM generate_series(1, 3 * current_setting('bench.products')::int) AS n;

INSERT INTO stock_movements (id, variant_id, on_hand_delta, reason)
SELECT bench.id(6, row_number() OVER (ORDER BY variant_id)), variant_id, on_hand, 'received'
FROM stock_levels WHERE on_hand > 0;


-- Reviews: up to four of every other product

INSERT INTO reviews (id, product_id, user_id, rating, title, body, status, verified_purchase, created_at, updated_at)
SELECT bench.id(5, 4 * n + place), bench.id(2, n), customers.ids[1 + (n + place) % cardinality(customers.ids)],
       1 + greatest(pg_temp.draw(n, 20 + place, 5), pg_temp.draw(n, 30 + place, 5)), summary,
       split_part(description, '. ', place), 'published', place % 2 = 0, at + place * interval '1 day',
       at + place * interval '1 day'
FROM drawn,
     generate_series(1, pg_temp.draw(n, 9, 5)::int) AS place,
     (SELECT array_agg(id ORDER BY email) AS ids FROM users WHERE role = 'customer') AS customers
WHERE n % 2 = 0;


-- What was put off

SELECT refresh_listings(ARRAY (SELECT id FROM products ORDER BY id));

DO $$
DECLARE
    dropped record;
BEGIN
    FOR dropped IN SELECT * FROM put_off LOOP
        EXECUTE dropped.definition;
    END LOOP;
END $$;
