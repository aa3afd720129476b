// Runs named checks one after the other and prints what became of them as one line of JSON.
const checks = [];

export async function check(name, act) {
  let error = "";
  try {
    const wrong = await act();
    if (wrong === false) error = "not as expected";
  } catch (thrown) {
    error = String(thrown?.stack ?? thrown).slice(0, 600);
  }
  checks.push({ name, error });
}

export function report(facts = {}) {
  console.log(JSON.stringify({ ...facts, checks }));
}

export function same(expected, actual) {
  const [left, right] = [JSON.stringify(expected), JSON.stringify(actual)];
  if (left !== right) throw new Error(`expected ${left}, got ${right}`);
}

export async function until(act, wanted) {
  for (let look = 0; look < 200; look += 1) {
    const found = await act();
    if (wanted(found)) return found;
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
  throw new Error("it did not happen within 200 looks");
}
