import java.time.Duration;
import java.util.Objects;

/** Runs checks one after the other and prints a line for each. */
class Checks {
    static final Duration PATIENCE = Duration.ofSeconds(30); // for what must come true sooner or later
    static final int LENGTH = 500; // of what is printed of an error

    static int failed;

    interface Step {
        void run() throws Exception;
    }

    interface Question {
        boolean ask() throws Exception;
    }

    static void check(String name, Step step) {
        try {
            step.run();
            System.out.println("ok " + name);
        } catch (Exception | AssertionError e) {
            failed++;
            var text = e.toString().replaceAll("\\s+", " ");
            System.out.println("FAILED " + name + ": " + text.substring(0, Math.min(text.length(), LENGTH)));
            e.printStackTrace();
        }
    }

    static void equal(Object got, Object want, String what) {
        if (!Objects.equals(got, want)) throw new AssertionError(what + ": got " + got + ", want " + want);
    }

    @SafeVarargs
    static void raises(Step step, Class<? extends Exception>... kinds) throws Exception {
        try {
            step.run();
        } catch (Exception e) {
            for (Throwable t = e; t != null; t = t.getCause()) {
                for (var kind : kinds) if (kind.isInstance(t)) return;
            }
            throw e;
        }
        throw new AssertionError("no " + kinds[0].getSimpleName());
    }

    /** Asks until the answer is yes. */
    static void eventually(Question question, String what) throws Exception {
        long deadline = System.nanoTime() + PATIENCE.toNanos();
        while (!question.ask()) {
            if (System.nanoTime() > deadline) throw new AssertionError("after " + PATIENCE.toSeconds() + " s: " + what);
            Thread.sleep(20);
        }
    }
}
