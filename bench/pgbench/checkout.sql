-- POST /api/v1/orders for a guest whose cart holds three lines, statement by statement as the service sends it.
-- No colon stands before a word in a text: pgbench would take it for a variable.
-- Each client orders the carts of a block of its own, one after the other; they hold lines of :skus SKUs (bench/carts.py).
\set cart :first + :client_id * :block + :n
\set n :n + 1
BEGIN;
INSERT INTO idempotency_keys (scope, key, request_hash, state)
VALUES ('bench POST /orders', 'pgbench-' || :cart::text, sha256('bench'), 'running')
ON CONFLICT (scope, key) DO UPDATE SET request_hash = excluded.request_hash, state = excluded.state, resource_id = NULL, status_code = NULL, body = NULL, locked_at = now(), expires_at = now() + interval '24 hours'
WHERE idempotency_keys.expires_at < now() RETURNING idempotency_keys.key;
SELECT id AS cart_id, user_id, token_hash, currency, status, shipping_address, shipping_method_id, expires_at, version, created_at, updated_at
FROM carts WHERE token_hash = sha256(('bench-cart-' || :cart::text)::bytea) AND status = 'active' FOR UPDATE \gset
SELECT l.id, l.cart_id, l.variant_id, l.quantity, l.created_at, l.updated_at, p.id, p.slug, p.name, p.status, p.tax_class, s.variant_id, s.on_hand, s.reserved, s.backorder_limit, s.reorder_point, s.available, v.id, v.product_id, v.sku, v.option_values, v.option_key, v.price_amount, v.compare_at_amount, v.currency, v.weight_g, v.status, v.version, v.created_at, v.updated_at
FROM cart_lines l LEFT JOIN variants v ON v.id = l.variant_id LEFT JOIN products p ON p.id = v.product_id LEFT JOIN stock_levels s ON v.id = s.variant_id
WHERE l.cart_id = :cart_id ORDER BY l.id;
SELECT id, code, name, price_amount, free_from_amount, currency, countries, position, created_at, updated_at
FROM shipping_methods ORDER BY position, id;
SELECT DISTINCT ON (tax_class) tax_class, rate
FROM tax_rates WHERE country = 'DE' AND valid_from <= now() ORDER BY tax_class, valid_from DESC;
UPDATE carts SET status = 'converted', version = version + 1, updated_at = now() WHERE id = :cart_id AND status = 'active' RETURNING 1;
INSERT INTO orders (id, cart_id, user_id, guest_token_hash, email, status, payment_status, fulfillment_status, currency, prices_include_tax, subtotal, discount_total, shipping_total, tax_total, grand_total, shipping_address, billing_address, shipping_method, notes, expires_at, version)
VALUES (uuidv7(), :cart_id, NULL, sha256(:cart::text::bytea), 'ada@example.com', 'pending_payment', 'pending', 'unfulfilled', 'EUR', true, 6000, 0, 0, 958, 6000, '{"full_name": "Ada Lovelace", "line1": "Unter den Linden 1", "line2": null, "city": "Berlin", "region": null, "postal_code": "10117", "country": "DE", "phone": null}', '{"full_name": "Ada Lovelace", "line1": "Unter den Linden 1", "line2": null, "city": "Berlin", "region": null, "postal_code": "10117", "country": "DE", "phone": null}', 'Standard, 2 to 4 days', NULL, now() + interval '15 minutes', 1)
RETURNING id AS order_id, number, placed_at, created_at, updated_at \gset
INSERT INTO order_lines (id, order_id, variant_id, sku, name, option_values, quantity, unit_price, subtotal, discount, tax_rate, tax, total)
VALUES (bench.id(8, 3 * :cart::bigint), :order_id, bench.sku_in_cart(:cart, 0, :skus), 'BENCH-1-S', 'Meadow beech merino cardigan', '{"Size": "S"}', 1, 2000, 2000, 0, 0.19, 319, 2000),
       (bench.id(8, 3 * :cart::bigint + 1), :order_id, bench.sku_in_cart(:cart, 1, :skus), 'BENCH-2-S', 'Southern steel cone dripper', '{"Size": "S"}', 1, 2000, 2000, 0, 0.19, 319, 2000),
       (bench.id(8, 3 * :cart::bigint + 2), :order_id, bench.sku_in_cart(:cart, 2, :skus), 'BENCH-3-S', 'Long glass teak bath mat', '{"Size": "S"}', 1, 2000, 2000, 0, 0.19, 319, 2000);
INSERT INTO stock_reservations (id, order_line_id, order_id, variant_id, quantity, status, expires_at)
VALUES (uuidv7(), bench.id(8, 3 * :cart::bigint), :order_id, bench.sku_in_cart(:cart, 0, :skus), 1, 'active', now() + interval '15 minutes'),
       (uuidv7(), bench.id(8, 3 * :cart::bigint + 1), :order_id, bench.sku_in_cart(:cart, 1, :skus), 1, 'active', now() + interval '15 minutes'),
       (uuidv7(), bench.id(8, 3 * :cart::bigint + 2), :order_id, bench.sku_in_cart(:cart, 2, :skus), 1, 'active', now() + interval '15 minutes');
INSERT INTO order_events (id, order_id, type, data) VALUES (uuidv7(), :order_id, 'order.placed', '{}') RETURNING created_at;
INSERT INTO outbox (event_id, type, aggregate_id, payload, attempts, published_at)
VALUES (uuidv7(), 'order.placed', :order_id, '{}', 0, NULL) RETURNING position, created_at, next_attempt_at;
INSERT INTO payments (id, order_id, provider, provider_ref, status, amount, currency, amount_captured, amount_refunded)
VALUES (uuidv7(), :order_id, 'stripe', NULL, 'requires_payment_method', 6000, 'EUR', 0, 0) RETURNING created_at, updated_at;
SELECT variant_id FROM stock_levels
WHERE variant_id IN (bench.sku_in_cart(:cart, 0, :skus), bench.sku_in_cart(:cart, 1, :skus), bench.sku_in_cart(:cart, 2, :skus)) ORDER BY variant_id FOR UPDATE;
UPDATE stock_levels SET reserved = reserved + wanted.quantity
FROM (VALUES (bench.sku_in_cart(:cart, 0, :skus), 1), (bench.sku_in_cart(:cart, 1, :skus), 1), (bench.sku_in_cart(:cart, 2, :skus), 1)) AS wanted (variant_id, quantity)
WHERE stock_levels.variant_id = wanted.variant_id AND on_hand - reserved + backorder_limit >= wanted.quantity RETURNING stock_levels.variant_id;
INSERT INTO stock_movements (id, variant_id, on_hand_delta, reserved_delta, reason, reference)
VALUES (uuidv7(), bench.sku_in_cart(:cart, 0, :skus), 0, 1, 'reserved', :order_id),
       (uuidv7(), bench.sku_in_cart(:cart, 1, :skus), 0, 1, 'reserved', :order_id),
       (uuidv7(), bench.sku_in_cart(:cart, 2, :skus), 0, 1, 'reserved', :order_id);
UPDATE idempotency_keys SET resource_id = :order_id WHERE scope = 'bench POST /orders' AND key = 'pgbench-' || :cart::text;
COMMIT;
SELECT id, order_id, provider, provider_ref, status, amount, currency, amount_captured, amount_refunded, created_at, updated_at
FROM payments WHERE order_id = :order_id AND status <> 'canceled';
BEGIN;
SELECT id, number, cart_id, user_id, guest_token_hash, email, status, payment_status, fulfillment_status, currency, prices_include_tax, subtotal, discount_total, shipping_total, tax_total, grand_total, shipping_address, billing_address, shipping_method, notes, placed_at, expires_at, version, created_at, updated_at
FROM orders WHERE id = :order_id FOR UPDATE OF orders;
SELECT order_id, id, variant_id, sku, name, option_values, quantity, unit_price, subtotal, discount, tax_rate, tax, total
FROM order_lines WHERE order_id = :order_id ORDER BY id;
SELECT id AS payment_id, order_id, provider, provider_ref, status, amount, currency, amount_captured, amount_refunded, created_at, updated_at
FROM payments WHERE order_id = :order_id AND status <> 'canceled' FOR UPDATE \gset
UPDATE payments SET provider_ref = 'pi_' || :cart::text, updated_at = now() WHERE id = :payment_id;
UPDATE idempotency_keys SET state = 'done', status_code = 201, body = json_build_object('order', repeat('x', 2400))
WHERE scope = 'bench POST /orders' AND key = 'pgbench-' || :cart::text;
COMMIT;
