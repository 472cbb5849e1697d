import java.util.Arrays;

/** Runs the main class named by the first argument and ends the JVM when standard input closes. */
public class Leash {
  public static void main(String[] args) throws Exception {
    Thread leash = new Thread(() -> {
      try {
        while (System.in.read() != -1) { }
      } catch (java.io.IOException closed) {
        // the same as the end of input
      }
      Runtime.getRuntime().halt(1);
    }, "leash");
    leash.setDaemon(true);
    leash.start();
    Class.forName(args[0])
        .getMethod("main", String[].class)
        .invoke(null, (Object) Arrays.copyOfRange(args, 1, args.length));
  }
}
