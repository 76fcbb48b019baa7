-- POST /api/v1/cart/lines for a guest whose cart holds three lines, statement by statement as the service sends it.
-- Carts :first to :last hold lines of :skus SKUs (bench/carts.py).
\set cart random(:first, :last)
\set line random(0, 2)
BEGIN;
SELECT id, user_id, token_hash, currency, status, shipping_address, shipping_method_id, expires_at, version, created_at, updated_at
FROM carts
WHERE token_hash = sha256(('bench-cart-' || :cart::text)::bytea) AND status = 'active' FOR UPDATE \gset
SELECT variant_id, quantity FROM cart_lines WHERE cart_id = :id;
SELECT p.id, p.slug, p.name, p.status, p.tax_class, v.id, v.product_id, v.sku, v.option_values, v.option_key, v.price_amount, v.compare_at_amount, v.currency, v.weight_g, v.status, v.version, v.created_at, v.updated_at, s.variant_id, s.on_hand, s.reserved, s.backorder_limit, s.reorder_point, s.available
FROM variants v JOIN products p ON p.id = v.product_id JOIN stock_levels s ON v.id = s.variant_id
WHERE v.id = bench.sku_in_cart(:cart, :line, :skus) AND v.status = 'active' AND p.status = 'active' ORDER BY v.id;
INSERT INTO cart_lines (id, cart_id, variant_id, quantity)
VALUES (uuidv7(), :id, bench.sku_in_cart(:cart, :line, :skus), 1)
ON CONFLICT (cart_id, variant_id) DO UPDATE SET quantity = cart_lines.quantity + 1, updated_at = now();
UPDATE carts SET expires_at = now() + interval '30 days', version = :version::bigint + 1, updated_at = now() WHERE id = :id;
SELECT l.id, l.cart_id, l.variant_id, l.quantity, l.created_at, l.updated_at, p.id, p.slug, p.name, p.status, p.tax_class, s.variant_id, s.on_hand, s.reserved, s.backorder_limit, s.reorder_point, s.available, v.id, v.product_id, v.sku, v.option_values, v.option_key, v.price_amount, v.compare_at_amount, v.currency, v.weight_g, v.status, v.version, v.created_at, v.updated_at
FROM cart_lines l LEFT JOIN variants v ON v.id = l.variant_id LEFT JOIN products p ON p.id = v.product_id LEFT JOIN stock_levels s ON v.id = s.variant_id
WHERE l.cart_id = :id ORDER BY l.id;
SELECT id, code, name, price_amount, free_from_amount, currency, countries, position, created_at, updated_at
FROM shipping_methods ORDER BY position, id;
SELECT DISTINCT ON (tax_class) tax_class, rate
FROM tax_rates WHERE country = 'DE' AND valid_from <= now() ORDER BY tax_class, valid_from DESC;
COMMIT;
